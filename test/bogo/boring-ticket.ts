/**
 * The runner opens tickets of a shim under a key that it knows (`-ticket-key`), and changes version and cipher suite in them. Its
 * envelope is OpenSSL's, and of the state it reads the beginning of BoringSSL's SSL_SESSION: SEQUENCE { INTEGER, INTEGER version,
 * OCTET STRING cipher, ... }. Ours stands behind it in an OCTET STRING of its own, and the two fields are what counts.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SessionEncoding, TicketSealer } from '../../src/index.js';
import { cipherSuites, protocolVersions } from '../../src/messages/index.js';
import { sessionState } from '../../src/sessions/index.js';

const nameLength = 16;
const ivLength = 16;
const macLength = 32;

/** Key name, HMAC key, AES-128 key: 48 bytes. The ciphertext has no length in front, unlike RFC 5077's. */
export function boringSealer(key: Uint8Array): TicketSealer {
  const [name, macKey, aesKey] = [key.subarray(0, 16), key.subarray(16, 32), key.subarray(32, 48)];
  const mac = (data: Uint8Array) => createHmac('sha256', macKey).update(data).digest();
  return {
    seal: (state) => {
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv('aes-128-cbc', aesKey, iv);
      const sealed = Buffer.concat([name, iv, cipher.update(state), cipher.final()]);
      return new Uint8Array(Buffer.concat([sealed, mac(sealed)]));
    },
    open: (ticket) => {
      if (ticket.length < nameLength + ivLength + macLength) return { reason: 'malformed' };
      if (!name.every((byte, i) => byte === ticket[i])) return { reason: 'unknown_key_name' };
      const sealed = ticket.subarray(0, -macLength);
      if (!timingSafeEqual(mac(sealed), ticket.subarray(-macLength))) return { reason: 'bad_mac' };
      const cipher = createDecipheriv('aes-128-cbc', aesKey, sealed.subarray(nameLength, nameLength + ivLength));
      const state = Buffer.concat([cipher.update(sealed.subarray(nameLength + ivLength)), cipher.final()]);
      return { state: new Uint8Array(state), renew: false };
    },
  };
}

const tags = { integer: 0x02, octetString: 0x04, sequence: 0x30 };

export const boringState: SessionEncoding = {
  encode: (session) => {
    const own = sessionState.encode(session);
    const fields = [
      element(tags.integer, Buffer.of(1)),
      element(tags.integer, uint16(protocolVersions[session.version])),
      element(tags.octetString, uint16(cipherSuites[session.cipherSuite])),
      element(tags.octetString, own),
    ];
    return new Uint8Array(element(tags.sequence, Buffer.concat(fields)));
  },
  decode: (bytes) => {
    const [, version, suite, own] = elements(elements(bytes)[0]!);
    const session = sessionState.decode(own!);
    if (session === undefined) return undefined;
    // Of another version it is no session at all: the two have little in common.
    if (protocolVersions[session.version] !== toNumber(version!)) return undefined;
    const cipherSuite = nameOf(toNumber(suite!));
    const isTls13 = cipherSuite?.includes('_WITH_') === false;
    return isTls13 === (session.version === 'TLSv1.3') ? Object.assign(session, { cipherSuite }) : undefined;
  },
};

function nameOf(suite: number): string | undefined {
  return Object.entries(cipherSuites).find(([, number]) => number === suite)?.[0];
}

function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const prefix = length < 0x80 ? [] : length < 0x100 ? [0x81] : [0x82, length >> 8];
  return Buffer.concat([Buffer.of(tag, ...prefix, length & 0xff), content]);
}

/** Contents of the elements that stand one after the other. */
function elements(der: Uint8Array): Uint8Array[] {
  const contents: Uint8Array[] = [];
  for (let at = 0; at < der.length;) {
    const first = der[at + 1]!;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const length = octets === 0 ? first : toNumber(der.subarray(at + 2, at + 2 + octets));
    const start = at + 2 + octets;
    contents.push(der.subarray(start, start + length));
    at = start + length;
  }
  return contents;
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

function toNumber(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
