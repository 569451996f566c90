/**
 * What a ticket gives away of the server that sealed it, without any key.
 *
 * The surprising thing is how little it is: most layouts are a name and noise. What counts against a layout is certain, what speaks for
 * it is a guess, and both are said.
 */
import { fromAscii } from '../bytes.js';
import type { TicketLayout } from '../tickets/layout.js';
import { fizzLayout } from '../tickets/layouts/fizz.js';
import { gnutlsLayout } from '../tickets/layouts/gnutls.js';
import { go120Layout, go121Layout } from '../tickets/layouts/go.js';
import { jsse17Layout, jsse25Layout } from '../tickets/layouts/jsse.js';
import { mbedtlsLayout } from '../tickets/layouts/mbedtls.js';
import { nssLayout } from '../tickets/layouts/nss.js';
import { opensslLayout } from '../tickets/layouts/openssl.js';
import {
  compactPaddedLayout,
  compactPaddedTicketLength,
  paddedLayout,
  paddedTicketLength,
} from '../tickets/layouts/padded.js';
import { rfc5077Layout } from '../tickets/layouts/rfc5077.js';
import { rustlsAwsLcLayout, rustlsRingLayout } from '../tickets/layouts/rustls.js';
import { s2nLayout } from '../tickets/layouts/s2n.js';
import { wolfsslAesGcmLayout, wolfsslLayout } from '../tickets/layouts/wolfssl.js';

/** One layout that a ticket may have. */
export interface LayoutGuess {
  readonly layout: TicketLayout;
  /** Whose tickets look like this. */
  readonly servers: string;
  /** `marked`: something stands in it that only this layout puts there. `possible`: nothing speaks against it. */
  readonly likelihood: 'marked' | 'possible';
  /** In words, what speaks for it. */
  readonly evidence: readonly string[];
  /** What would be the name of the key; empty where the layout has none. */
  readonly keyName: Uint8Array;
  /** Bytes of the state; where it fills blocks up to 16 fewer than it has, and in `paddedLayout` with what is added. */
  readonly stateLength: number;
}

interface Rule {
  readonly layout: TicketLayout;
  readonly servers: string;
  /** The evidence, marks first; `undefined` where the ticket cannot be of this layout. */
  readonly look: (
    ticket: Uint8Array,
  ) => { readonly marks: readonly string[]; readonly signs: readonly string[] } | undefined;
}

const blockLength = 16;
const aeadTagLength = 16;

const rules: readonly Rule[] = [
  { layout: rfc5077Layout, servers: 'tls-resume, and RFC 5077 to the letter', look: withLength(32, 32, blockLength) },
  {
    layout: opensslLayout,
    servers: 'OpenSSL, nginx, Apache, HAProxy, Node.js, h2o, BoringSSL',
    look: (ticket) => blocksBetween(ticket, 32, 32),
  },
  {
    layout: rustlsAwsLcLayout,
    servers: 'rustls with aws-lc-rs',
    look: (ticket) => blocksBetween(ticket, 32, 32),
  },
  { layout: gnutlsLayout, servers: 'GnuTLS', look: withLength(32, 20, blockLength) },
  {
    layout: nssLayout,
    servers: 'NSS',
    look: (ticket) =>
      fromAscii(ticket.subarray(0, 4)) === 'NSS!' ? { marks: ['begins with "NSS!"'], signs: [] } : undefined,
  },
  { layout: wolfsslLayout, servers: 'wolfSSL (ChaCha20-Poly1305)', look: withLength(32, 32, 1) },
  { layout: wolfsslAesGcmLayout, servers: 'wolfSSL (AES-GCM)', look: withLength(32, 32, 1) },
  {
    layout: s2nLayout,
    servers: 's2n-tls',
    look: (ticket) => (ticket[0] === 1 ? { marks: [], signs: ['begins with format 1'] } : undefined),
  },
  { layout: mbedtlsLayout, servers: 'Mbed TLS', look: withLength(16, aeadTagLength, 1) },
  {
    layout: fizzLayout,
    servers: 'fizz',
    look: (ticket) =>
      ticket.subarray(32, 36).every((byte) => byte === 0)
        ? { marks: ['a sequence number of 0 after 32 bytes'], signs: [] }
        : undefined,
  },
  padded(paddedLayout, paddedTicketLength),
  padded(compactPaddedLayout, compactPaddedTicketLength),
  { layout: go120Layout, servers: 'Go up to 1.20', look: anything },
  { layout: go121Layout, servers: 'Go from 1.21 on', look: anything },
  { layout: rustlsRingLayout, servers: 'rustls with ring', look: anything },
  { layout: jsse17Layout, servers: 'SunJSSE up to 17', look: anything },
  {
    layout: jsse25Layout,
    servers: 'SunJSSE from 21 on',
    look: (ticket) =>
      (ticket[20] ?? 2) <= 1 ? { marks: [], signs: ['a compression flag of 0 or 1 after 20 bytes'] } : undefined,
  },
];

/** The layouts that `ticket` may have, those that it is marked by first; of the others, those with some sign before the rest. */
export function recogniseTicket(ticket: Uint8Array): readonly LayoutGuess[] {
  const guesses = rules.flatMap(({ layout, servers, look }) => {
    const found = ticket.length < layout.shortestTicket ? undefined : look(ticket);
    if (found === undefined) return [];
    const { offset, length } = layout.keyName ?? { offset: 0, length: 0 };
    const keyName = ticket.slice(offset, offset + length);
    const likelihood = found.marks.length > 0 ? ('marked' as const) : ('possible' as const);
    const evidence = [...found.marks, ...found.signs, ...(isText(keyName) ? ['a key name that is text'] : [])];
    const stateLength = ticket.length - layout.shortestTicket;
    return [{ layout, servers, likelihood, evidence, keyName, stateLength }];
  });
  return [
    ...guesses.filter(({ likelihood }) => likelihood === 'marked'),
    ...guesses.filter(({ likelihood, evidence }) => likelihood !== 'marked' && evidence.length > 0),
    ...guesses.filter(({ evidence }) => evidence.length === 0),
  ];
}

/** A length of two bytes at `offset`, which fits what stands between it and `macLength` bytes at the end. */
function withLength(offset: number, macLength: number, multipleOf: number): Rule['look'] {
  return (ticket) => {
    const length = ((ticket[offset] ?? 0) << 8) | (ticket[offset + 1] ?? 0);
    if (length !== ticket.length - offset - 2 - macLength || length % multipleOf !== 0) return undefined;
    return {
      marks: [`a length of ${String(length)} after ${String(offset)} bytes, with ${String(macLength)} bytes behind`],
      signs: [],
    };
  };
}

function blocksBetween(ticket: Uint8Array, before: number, after: number): ReturnType<Rule['look']> {
  const length = ticket.length - before - after;
  if (length % blockLength !== 0) return undefined;
  return {
    marks: [],
    signs: [`${String(length / blockLength)} whole blocks between ${String(before)} and ${String(after)} bytes`],
  };
}

function padded(layout: TicketLayout, length: number): Rule {
  return {
    layout,
    servers: 'tls-resume',
    look: (ticket) =>
      ticket.length % length === 0
        ? { marks: [], signs: [`a length that is a multiple of ${String(length)}`] }
        : undefined,
  };
}

function anything(): ReturnType<Rule['look']> {
  return { marks: [], signs: [] };
}

function isText(name: Uint8Array): boolean {
  return name.length > 0 && name.every((byte) => byte === 0 || (byte >= 0x20 && byte < 0x7f));
}
