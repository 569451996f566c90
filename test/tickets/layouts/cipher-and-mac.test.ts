import { createCipheriv, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes.js';
import type { TicketLayout } from '../../../src/tickets/layout.js';
import { gnutlsLayout } from '../../../src/tickets/layouts/gnutls.js';
import { go120Layout, go121Layout } from '../../../src/tickets/layouts/go.js';
import { nssLayout } from '../../../src/tickets/layouts/nss.js';
import { opensslLayout } from '../../../src/tickets/layouts/openssl.js';
import { rfc5077Layout } from '../../../src/tickets/layouts/rfc5077.js';
import { rustlsAwsLcLayout } from '../../../src/tickets/layouts/rustls.js';
import type { AesHmacTicketKey } from '../../../src/tickets/ticket-key.js';
import { backends } from '../backends.js';
import { bytes } from './every-layout.js';

/** What the description of a server says, written down once more. */
interface Description {
  readonly layout: TicketLayout;
  readonly named: boolean;
  readonly length: 'sent' | 'authenticated' | 'absent';
  readonly cipher: 'cbc' | 'ctr';
  readonly padding: 'pkcs7' | 'zeros' | 'none';
  readonly hash: 'sha256' | 'sha1';
  readonly aes: number;
  readonly hmac: number;
}

const rfc5077 = { named: true, length: 'sent', cipher: 'cbc', padding: 'pkcs7', hash: 'sha256' } as const;
const openssl = { ...rfc5077, length: 'absent' } as const;
const go = { ...openssl, cipher: 'ctr', padding: 'none', aes: 16, hmac: 16 } as const;
const descriptions: readonly Description[] = [
  { ...rfc5077, layout: rfc5077Layout, aes: 16, hmac: 32 },
  { ...rfc5077, layout: rfc5077Layout, aes: 32, hmac: 24 },
  { ...openssl, layout: opensslLayout, aes: 16, hmac: 16 },
  { ...openssl, layout: opensslLayout, aes: 32, hmac: 32 },
  { ...openssl, layout: opensslLayout, aes: 32, hmac: 64 },
  { ...go, layout: go120Layout },
  { ...go, layout: go121Layout, named: false },
  { ...rfc5077, layout: gnutlsLayout, padding: 'zeros', hash: 'sha1', aes: 32, hmac: 16 },
  { ...rfc5077, layout: nssLayout, aes: 32, hmac: 32 },
  { ...openssl, layout: rustlsAwsLcLayout, length: 'authenticated', aes: 32, hmac: 32 },
];

const iv = bytes(16, 40);

function sealByHand(
  of: Description,
  key: AesHmacTicketKey,
  state: Uint8Array,
  wrong: { length?: number; padded?: Uint8Array } = {},
) {
  const cipher = createCipheriv(`aes-${String(of.aes * 8)}-${of.cipher}`, key.aesKey, iv);
  let plaintext: Uint8Array = state;
  if (of.padding === 'zeros') {
    plaintext = new Uint8Array(Math.max(16, Math.ceil(state.length / 16) * 16));
    plaintext.set(state);
  }
  if (of.padding !== 'pkcs7' || wrong.padded !== undefined) cipher.setAutoPadding(false);
  const encrypted = Buffer.concat([cipher.update(wrong.padded ?? plaintext), cipher.final()]);
  return authenticateByHand(of, key, encrypted, wrong.length);
}

function authenticateByHand(
  of: Description,
  key: AesHmacTicketKey,
  encrypted: Uint8Array,
  lengthSaid = encrypted.length,
) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(lengthSaid);
  const head = Buffer.concat([of.named ? key.name : new Uint8Array(0), iv]);
  const authenticated = Buffer.concat([head, of.length === 'absent' ? new Uint8Array(0) : length, encrypted]);
  const mac = createHmac(of.hash, key.hmacKey).update(authenticated).digest();
  const sent = of.length === 'sent' ? authenticated : Buffer.concat([head, encrypted]);
  return new Uint8Array(Buffer.concat([sent, mac]));
}

describe.each(backends)('layouts with a cipher and a MAC ($name)', (crypto) => {
  describe.each(descriptions)('$layout.name, AES key of $aes, HMAC key of $hmac', (of) => {
    const key = { name: bytes(16, 1), aesKey: bytes(of.aes, 2), hmacKey: bytes(of.hmac, 3) };
    const prepared = of.layout.prepare({ ...crypto, randomBytes: () => iv }, key);

    it('R5077-4-2 seals the bytes of its description, for states of every length, and opens them', () => {
      for (let length = 0; length <= 100; length++) {
        const state = bytes(length, length);
        const ticket = sealByHand(of, key, state);
        expect(toHex(prepared.seal(state))).toBe(toHex(ticket));
        const zeros = of.padding === 'zeros' ? (length === 0 ? 16 : -length & 15) : 0;
        expect(prepared.open(ticket)).toEqual(new Uint8Array([...state, ...new Uint8Array(zeros)]));
      }
    });

    it('an authentic ticket of another shape is malformed, and its state is not handed out', () => {
      const state = bytes(96, 5);
      if (of.padding === 'pkcs7') {
        for (const last of [
          [...bytes(15, 1), 0],
          [...bytes(15, 1), 17],
          [...bytes(15, 1), 255],
          [...bytes(14, 1), 3, 2],
          [15, ...new Uint8Array(15).fill(16)],
        ]) {
          const ticket = sealByHand(of, key, state, { padded: new Uint8Array([...state, ...last]) });
          expect(prepared.open(ticket)).toBe('malformed');
        }
      }
      if (of.length === 'sent') {
        for (const length of [0, 80, 128, 65535])
          expect(prepared.open(sealByHand(of, key, state, { length }))).toBe('malformed');
      }
      if (of.cipher === 'cbc') {
        for (const length of [0, 1, 15, 17, 95])
          expect(prepared.open(authenticateByHand(of, key, bytes(length, 1)))).toBe('malformed');
      }
    });
  });

  it('one key in two layouts: what is authentic in both is opened by each in its own way', () => {
    // OpenSSL and Go up to 1.20 authenticate the same bytes: the layout is to be said, and the state shows the mistake.
    const key = { name: bytes(16, 1), aesKey: bytes(16, 2), hmacKey: bytes(16, 3) };
    const ticket = opensslLayout.prepare(crypto, key).seal(bytes(64, 1));
    const opened = go120Layout.prepare(crypto, key).open(ticket);
    expect(opened).toHaveLength(80);
    expect(opened.slice(0, 64)).not.toEqual(bytes(64, 1));
  });
});
