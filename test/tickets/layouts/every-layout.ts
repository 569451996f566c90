/** Every layout with a key of its kind, and a way to open tickets as a ring does. */
import type { TicketRefusal } from '../../../src/tickets/sealer.js';
import { longestTicket, type LayoutKey, type TicketLayout } from '../../../src/tickets/layout.js';
import { fizzLayout } from '../../../src/tickets/layouts/fizz.js';
import { gnutlsLayout } from '../../../src/tickets/layouts/gnutls.js';
import { go120Layout, go121Layout } from '../../../src/tickets/layouts/go.js';
import { jsse17Layout, jsse25Layout } from '../../../src/tickets/layouts/jsse.js';
import { mbedtlsLayout } from '../../../src/tickets/layouts/mbedtls.js';
import { nssLayout } from '../../../src/tickets/layouts/nss.js';
import { opensslLayout } from '../../../src/tickets/layouts/openssl.js';
import { compactPaddedLayout, paddedLayout } from '../../../src/tickets/layouts/padded.js';
import { rfc5077Layout } from '../../../src/tickets/layouts/rfc5077.js';
import { rustlsAwsLcLayout, rustlsRingLayout } from '../../../src/tickets/layouts/rustls.js';
import { s2nLayout } from '../../../src/tickets/layouts/s2n.js';
import { wolfsslAesGcmLayout, wolfsslLayout } from '../../../src/tickets/layouts/wolfssl.js';
import type { TicketKey } from '../../../src/tickets/ticket-key.js';

export interface LayoutWithKey {
  readonly layout: TicketLayout;
  readonly name: string;
  readonly key: TicketKey;
}

const aesHmac =
  (aesKeyLength: number, hmacKeyLength: number) =>
  (serial: number): TicketKey => ({
    name: bytes(16, serial),
    aesKey: bytes(aesKeyLength, serial + 1),
    hmacKey: bytes(hmacKeyLength, serial + 2),
  });

const secretOf =
  (nameLength: number, secretLength: number) =>
  (serial: number): TicketKey => ({ name: bytes(nameLength, serial), secret: bytes(secretLength, serial + 1) });

const kinds: readonly (readonly [TicketLayout, (serial: number) => TicketKey])[] = [
  [rfc5077Layout, aesHmac(16, 32)],
  [rfc5077Layout, aesHmac(32, 24)],
  [opensslLayout, aesHmac(16, 16)],
  [opensslLayout, aesHmac(32, 64)],
  [go120Layout, aesHmac(16, 16)],
  [go121Layout, aesHmac(16, 16)],
  [gnutlsLayout, aesHmac(32, 16)],
  [nssLayout, aesHmac(32, 32)],
  [rustlsAwsLcLayout, aesHmac(32, 32)],
  [rustlsRingLayout, secretOf(16, 32)],
  [s2nLayout, secretOf(16, 20)],
  [mbedtlsLayout, secretOf(4, 32)],
  [mbedtlsLayout, secretOf(4, 16)],
  [jsse17Layout, secretOf(4, 32)],
  [jsse25Layout, secretOf(4, 32)],
  [wolfsslLayout, secretOf(16, 32)],
  [wolfsslAesGcmLayout, secretOf(16, 16)],
  [wolfsslAesGcmLayout, secretOf(16, 32)],
  [fizzLayout, secretOf(16, 48)],
  [paddedLayout, secretOf(16, 32)],
  [compactPaddedLayout, secretOf(16, 32)],
];

/** One key for each. */
export const everyLayout: readonly LayoutWithKey[] = keysFor(1);

/** Other keys for all of them, and none that two layouts share. */
export function keysFor(serial: number): readonly LayoutWithKey[] {
  return kinds.map(([layout, keyOf], i) => {
    const key = keyOf(serial + 10 * i);
    const bits = (key.secret ?? key.aesKey).length * 8;
    return { layout, key, name: `${layout.name}, ${String(bits)} bits` };
  });
}

/** What `RingSealer` answers with this key alone: the contract of `LayoutKey.open` leaves lengths and names to it. */
export function openInRing(
  { keyName, shortestTicket }: TicketLayout,
  { name }: TicketKey,
  prepared: LayoutKey,
  ticket: Uint8Array,
): Uint8Array | TicketRefusal {
  if (ticket.length < shortestTicket || ticket.length > longestTicket) return 'malformed';
  if (keyName !== undefined) {
    const sent = ticket.subarray(keyName.offset, keyName.offset + keyName.length);
    if (sent.some((byte, i) => byte !== name[i])) return 'unknown_key_name';
  }
  return prepared.open(ticket);
}

/** Others for every serial number: a key of all zeros would hide what is not used. */
export function bytes(length: number, serial: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => (i + 1) * (2 * serial + 89) + (i >> 2) * 57 + serial);
}
