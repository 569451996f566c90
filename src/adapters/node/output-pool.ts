/**
 * Arrays that records are written into, used again when a TCP socket is through with them.
 *
 * What this saves is not the allocation but the garbage: V8 answers some tens of megabytes of arrays beside its heap with a
 * collection of all of it, which costs more than the encryption of what was in them.
 */

/** Application data is protected and handed to the transport in steps of at most so many bytes. */
export const writeStep = 64 * 1024;

/** The records of one step, whatever protects them. */
const arrayLength = writeStep + 1024;
/** Arrays that are kept for later, for all connections together. */
const maxKept = 8;

const kept: ArrayBuffer[] = [];

/** `length` bytes, of unknown content. */
export function takeArray(length: number): Uint8Array {
  // Handshakes and short messages go better into arrays of their own.
  if (length < 4096 || length > arrayLength) return new Uint8Array(length);
  return new Uint8Array(kept.pop() ?? new ArrayBuffer(arrayLength), 0, length);
}

/** Gives back what `takeArray` gave; nobody may hold it any more. Other arrays are left alone. */
export function giveArray({ buffer, byteLength }: Uint8Array): void {
  const isOurs = byteLength >= 4096 && buffer.byteLength === arrayLength;
  if (isOurs && buffer instanceof ArrayBuffer && kept.length < maxKept) kept.push(buffer);
}
