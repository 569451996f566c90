/**
 * The length of the encrypted state, in the tickets of servers that send it (RFC 5077 4): two bytes, big-endian.
 */
export const lengthFieldLength = 2;

export function writeLength(ticket: Uint8Array, offset: number, length: number): void {
  ticket[offset] = length >> 8;
  ticket[offset + 1] = length;
}

export function readLength(ticket: Uint8Array, offset: number): number {
  return ((ticket[offset] ?? 0) << 8) | (ticket[offset + 1] ?? 0);
}
