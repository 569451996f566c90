import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import { nobleCrypto as crypto } from '../../src/crypto/noble.js';
import {
  haproxyTarget,
  inspectTicket,
  mintSession,
  opensslTarget,
  recogniseTicket,
  s2nTarget,
} from '../../src/targets/index.js';
import { sessionState } from '../../src/sessions/session-state.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import type { TicketLayout } from '../../src/tickets/layout.js';
import { opensslLayout } from '../../src/tickets/layouts/openssl.js';
import { compactPaddedLayout } from '../../src/tickets/layouts/padded.js';
import { rfc5077Layout } from '../../src/tickets/layouts/rfc5077.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateSecretTicketKey, generateTicketKey, type TicketKey } from '../../src/tickets/ticket-key.js';
import { fullSession, fullTls13Session } from '../sessions/sessions.js';
import { samples, unopenableSamples } from '../tickets/layouts/samples.js';

const minute = 60_000;
const now = Date.UTC(2026, 10, 21, 12);

function sealed(state: Uint8Array, key: TicketKey, layout: TicketLayout): Uint8Array {
  return new RingSealer({ keys: new KeyRing({ crypto, now: () => now, keys: [key] }), layout }).seal(state);
}

/** All byte strings, wherever they stand. */
function* bytesIn(value: unknown): Generator<Uint8Array> {
  if (value instanceof Uint8Array) yield value;
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) yield* bytesIn(part);
}

/** What is known of the states of these servers. */
const encodings: Readonly<Record<string, string>> = {
  nginx: 'openssl',
  'Apache httpd': 'openssl',
  HAProxy: 'openssl',
  'Node.js tls': 'openssl',
  h2o: 'openssl',
  'OpenSSL SSL_CTX_set_tlsext_ticket_keys': 'openssl',
  BoringSSL: 'boringssl',
  'Go crypto/tls': 'go120',
  's2n-tls': 's2n',
  GnuTLS: 'gnutls',
  'mbed TLS': 'mbedtls',
  wolfSSL: 'wolfssl',
};

describe.each(samples)('$name', ({ name, server, layout, key, ticket, state, secret, decodedFields }) => {
  it('opens under its key, weak or not, in its layout', () => {
    const report = inspectTicket(ticket, { keys: [generateTicketKey(crypto), key], now, crypto });
    expect(report.opened?.layout.name).toBe(layout.name);
    expect(toHex(report.opened?.state ?? ticket)).toBe(toHex(state));
    expect(report.opened?.keyName).toEqual(key.name);
    const encoding = encodings[server] ?? name.replace(/-.*/, ''); // jsse17, jsse25
    expect(report.opened?.content?.encoding, name).toBe(encoding);
  });

  it('its layout is among the guesses without a key', () => {
    const report = inspectTicket(ticket, { crypto });
    expect(report.opened).toBe(undefined);
    const guess = report.guesses.find((each) => each.layout === layout);
    // The shortest ticket with blocks has one of them.
    const hidden = state.length - (guess?.stateLength ?? Number.NaN);
    expect(hidden).toBeGreaterThanOrEqual(0);
    expect(hidden).toBeLessThanOrEqual(key.secret === undefined ? 16 : 0);
  });

  it('prints no secret', () => {
    const { opened } = inspectTicket(ticket, { keys: [key], now, crypto });
    // As a secret inside it, and as what it was derived from.
    const secrets = [secret, decodedFields['resumption_master_secret']].map((each) =>
      each instanceof Uint8Array ? toHex(each) : String(each),
    );
    const printed = [...bytesIn(opened)].filter((bytes) => !inspect(bytes).includes('secret bytes'));
    expect(printed.length).toBeGreaterThan(0);
    for (const bytes of printed) for (const hidden of secrets) expect(toHex(bytes)).not.toContain(hidden);
  });

  it('under another key of its name it is a bad MAC', () => {
    const other =
      key.secret === undefined
        ? { ...generateTicketKey(crypto, { aesKeyLength: key.aesKey.length === 16 ? 16 : 32 }), name: key.name }
        : { name: key.name, secret: crypto.randomBytes(key.secret.length) };
    const { opened, attempts } = inspectTicket(ticket, { keys: [other], crypto });
    expect(opened).toBe(undefined);
    expect(new Set(attempts.map(({ reason }) => reason))).toEqual(new Set(attempts.length === 0 ? [] : ['bad_mac']));
  });
});

describe('without a key', () => {
  it.each(unopenableSamples)('$name is recognised', ({ ticket }) => {
    expect(recogniseTicket(ticket).length).toBeGreaterThan(0);
  });

  it('a length that fits marks a layout, and comes first', () => {
    const [guess] = recogniseTicket(sealed(new Uint8Array(110), generateTicketKey(crypto), rfc5077Layout));
    expect(guess).toMatchObject({
      layout: rfc5077Layout,
      likelihood: 'marked',
      evidence: ['a length of 112 after 32 bytes, with 32 bytes behind'],
    });
  });

  it('a name that is text is evidence, and said', () => {
    const key = { ...generateTicketKey(crypto), name: ascii('fleet 2026-11-21') };
    const guess = recogniseTicket(sealed(new Uint8Array(110), key, opensslLayout)).find(
      ({ layout }) => layout === opensslLayout,
    );
    expect(guess).toMatchObject({
      likelihood: 'possible',
      evidence: ['7 whole blocks between 32 and 32 bytes', 'a key name that is text'],
      keyName: key.name,
    });
  });

  it.each<[number, RegExp | undefined]>([
    [0, /empty/],
    [32, /handle/],
    [33, undefined],
    [65_535, undefined],
    [65_536, /65535/],
  ])('of %i bytes', (length, remark) => {
    const report = inspectTicket(crypto.randomBytes(length), { keys: [generateTicketKey(crypto)], now });
    expect(report.length).toBe(length);
    expect(report.opened).toBe(undefined);
    if (remark === undefined) expect(report.remark).toBe(undefined);
    else expect(report.remark).toMatch(remark);
    if (length > 65_535) expect(report.guesses).toEqual([]);
  });
});

describe('our own states', () => {
  it.each([
    ['TLS 1.2', fullSession],
    ['TLS 1.3', fullTls13Session],
  ])('of %s are read in any layout', (_, session) => {
    const state = sessionState.encode(session);
    for (const [key, layout] of [
      [generateTicketKey(crypto), rfc5077Layout],
      [generateSecretTicketKey(crypto), compactPaddedLayout],
    ] as const) {
      const { opened } = inspectTicket(sealed(state, key, layout), { keys: [key], crypto });
      expect(opened?.content).toMatchObject({ encoding: 'tls-resume', session: { version: session.version } });
      expect(opened?.age).toBe(undefined);
    }
  });
});

describe('ages and verdicts', () => {
  const key = generateTicketKey(crypto, { aesKeyLength: 16, hmacKeyLength: 16 });
  const keys = new KeyRing({ crypto, now: () => now, keys: [key] });
  const serverName = 'a.test';
  const target = haproxyTarget({ lifetime: 600 });
  const ticketAt = (issuedAt: number) =>
    mintSession(target, {
      version: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      crypto,
      keys,
      now: issuedAt,
      serverName,
    }).ticket;
  const openedAt = (issuedAt: number, asked = serverName) =>
    inspectTicket(ticketAt(issuedAt), {
      keys: [key],
      now,
      crypto,
      serverName: asked,
      targets: [target, opensslTarget({ sessionIdContext: ascii('another') }), s2nTarget()],
    }).opened;

  it('a ticket in its time', () => {
    const opened = openedAt(now - 4 * minute);
    expect(opened?.age).toEqual({
      sinceIssued: 240,
      sinceFullHandshake: 240,
      lifetime: 600,
      remaining: 360,
      refusal: undefined,
    });
    expect(opened?.verdicts).toEqual([
      { server: 'HAProxy', refusal: undefined },
      { server: 'OpenSSL', refusal: 'context_mismatch' },
      { server: 's2n-tls', refusal: 'other_layout' },
    ]);
  });

  it('past its time, and before it', () => {
    expect(openedAt(now - 11 * minute)).toMatchObject({
      age: { remaining: -60, refusal: 'expired' },
      verdicts: [{ refusal: 'expired' }, {}, {}],
    });
    expect(openedAt(now + 11 * minute)).toMatchObject({
      age: { sinceIssued: -660, refusal: 'from_the_future' },
      verdicts: [{ refusal: 'too_old' }, {}, {}],
    });
  });

  it('under another name', () => {
    expect(openedAt(now, 'b.test')?.verdicts[0]).toEqual({ server: 'HAProxy', refusal: 'server_name_mismatch' });
  });
});
