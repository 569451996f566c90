/**
 * Between Buffer, which node:crypto answers, and Uint8Array, which this package speaks. The one surprising thing: the two
 * disagree, since a Buffer's `slice` shares memory where a Uint8Array's copies. No Buffer leaves the node backend.
 */
import { Buffer } from 'node:buffer';

/** The same memory as a Uint8Array. For buffers that node:crypto made and nobody else holds. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

export function fromBase64Url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
