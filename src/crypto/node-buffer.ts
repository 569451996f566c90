/**
 * Between Buffer, which node:crypto answers, and Uint8Array, which this package speaks. The one surprising thing: the two
 * disagree, since a Buffer's `slice` shares memory where a Uint8Array's copies. No Buffer leaves the node backend.
 */
import { Buffer } from 'node:buffer';

/** The same memory as a Uint8Array. For buffers that node:crypto made and nobody else holds. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * Bytes of a string with one of them in each character. node:crypto answers a hash that way at half the price of a Buffer,
 * whose memory stands outside the heap. Not for keys: a string cannot be wiped.
 */
export function fromBinary(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

export function fromBase64Url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
