/** What a QUIC stack does with packet keys (RFC 9001 5.3, 5.4): takes off header protection, and opens the payload. */
import { createCipheriv } from 'node:crypto';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import type { QuicPacketKeys } from '../../src/key-schedule/quic.js';
import { tls13Suites, type Tls13CipherSuite } from '../../src/key-schedule/suites.js';

export interface OpenedPacket {
  /** Without protection. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array | undefined;
}

/** `packetNumberOffset` is where the header's variable part ends; `packetNumber` is the whole one, which the stack knows. */
export function openPacket(
  crypto: CryptoBackend,
  suite: Tls13CipherSuite,
  keys: QuicPacketKeys,
  packet: Uint8Array,
  packetNumberOffset: number,
  packetNumber: number,
): OpenedPacket {
  const sample = packet.subarray(packetNumberOffset + 4, packetNumberOffset + 20);
  const mask = headerProtectionMask(suite, keys.headerProtection, sample);
  const isLong = (packet[0]! & 0x80) !== 0;
  const first = packet[0]! ^ (mask[0]! & (isLong ? 0x0f : 0x1f));
  const headerLength = packetNumberOffset + (first & 3) + 1;
  const header = packet.slice(0, headerLength);
  header[0] = first;
  for (let i = packetNumberOffset; i < headerLength; i++) header[i]! ^= mask[1 + i - packetNumberOffset]!;
  const nonce = keys.iv.slice();
  for (let i = 0, rest = packetNumber; rest > 0; i++, rest = Math.floor(rest / 256)) nonce[11 - i]! ^= rest % 256;
  const payload = crypto.aead(tls13Suites[suite].aead, keys.key).open(nonce, header, packet.subarray(headerLength));
  return { header, payload };
}

/** RFC 9001 5.4.3 and 5.4.4. */
export function headerProtectionMask(suite: Tls13CipherSuite, key: Uint8Array, sample: Uint8Array): Uint8Array {
  if (tls13Suites[suite].aead === 'chacha20-poly1305')
    return createCipheriv('chacha20', key, sample).update(new Uint8Array(5));
  return createCipheriv(`aes-${key.length === 16 ? '128' : '256'}-ecb`, key, null)
    .update(sample)
    .subarray(0, 5);
}

/** The data of the one CRYPTO frame at offset 0, of at least 64 bytes, among PADDING and ACK frames of one range (RFC 9000 19). */
export function cryptoFrame(payload: Uint8Array): Uint8Array {
  let at = 0;
  while (payload[at] === 0x00 || payload[at] === 0x02) at += payload[at] === 0x00 ? 1 : 5;
  if (payload[at] !== 0x06 || payload[at + 1] !== 0) throw new Error(`no CRYPTO frame at ${at}`);
  const length = ((payload[at + 2]! & 0x3f) << 8) | payload[at + 3]!;
  return payload.slice(at + 4, at + 4 + length);
}
