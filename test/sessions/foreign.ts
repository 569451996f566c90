/** What is asked of every encoding of another server, and the samples that it is asked of. */
import { expect } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import { cipherSuites, protocolVersions } from '../../src/parameters.js';
import type { BindingRefusal } from '../../src/sessions/binding-refusal.js';
import { decodeOrUndefined } from '../../src/sessions/decode.js';
import type { SslSession } from '../../src/sessions/openssl-session.js';
import type { ResumptionPlace, Session, SessionEncoding } from '../../src/sessions/session.js';
import { secretOf } from '../../src/sessions/session.js';
import type { Codec } from '../../src/presentation/codec.js';
import { ticketSamples, type TicketSample } from '../support/ticket-samples.js';

/** Those whose file begins with one of the names. */
export function samplesOf(...names: readonly string[]): readonly (readonly [name: string, sample: TicketSample])[] {
  const samples = ticketSamples().filter(([name]) => names.some((prefix) => name.startsWith(prefix)));
  expect(samples.length).toBeGreaterThanOrEqual(names.length);
  return samples;
}

/** All whose state is OpenSSL's. */
export const opensslSamples = () => samplesOf('apache', 'h2o', 'haproxy', 'nginx', 'node', 'openssl', 'weak-nginx');

/** Of a name in a table of the registries, or of what has none. */
export function numberIn(table: Readonly<Record<string, number>>, value: string | number): number {
  return typeof value === 'number' ? value : (table[value] ?? NaN);
}

/** What both dialects of `SSL_SESSION` begin with, in the words of the samples; what is not there is left out. */
export function inTheirWords(
  session: Pick<
    SslSession,
    'structureVersion' | 'protocolVersion' | 'cipherSuite' | 'sessionId' | 'time' | 'timeout' | 'sessionIdContext'
  >,
  others: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const words: Record<string, unknown> = {
    version: session.structureVersion,
    ssl_version: numberIn(protocolVersions, session.protocolVersion),
    cipher: numberIn(cipherSuites, session.cipherSuite).toString(16).padStart(4, '0'),
    session_id: toHex(session.sessionId),
    time: session.time,
    timeout: session.timeout,
    sid_ctx: session.sessionIdContext && toHex(session.sessionIdContext),
    ...others,
  };
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined));
}

/** Milliseconds: a second after the samples were made, but for the weak ones. */
export const sampleTime = 1_795_254_310_000;

export const applicationContext = fromHex('c0ffee');

/** How clients are authenticated in this place: what a foreign session passes for, since it can say nothing of it. */
export const clientAuthenticationPolicy = fromHex('ca');

export function place(parts: Partial<ResumptionPlace> = {}): ResumptionPlace {
  return { serverName: 'a.test', applicationContext, clientAuthenticationPolicy, now: sampleTime, ...parts };
}

/** Where a session like those of `sessions.ts` resumes. */
export function placeOf(session: Session): ResumptionPlace {
  return place({ serverName: session.serverName, now: session.issuedAt });
}

/**
 * What a session has that was made by a server: certificates that are SEQUENCEs, a name in lower case, the context of `place`, and times
 * of this age, eight days apart at the most.
 */
export function asServersMakeIt<S extends Session>(session: S): S {
  const { serverName, peerCertificates } = session;
  const establishedAt = session.establishedAt % 10_000_000_000_000;
  const made = { ...session };
  // Ours alone.
  delete (made as { externalPskFingerprint?: Uint8Array }).externalPskFingerprint;
  if (made.version === 'TLSv1.3') delete (made as { zone?: string }).zone;
  return {
    ...made,
    applicationContext,
    clientAuthenticationPolicy,
    establishedAt,
    issuedAt: establishedAt + (session.issuedAt % 691_200_000),
    peerCertificates: peerCertificates.map((bytes) => concat(Uint8Array.of(0x30, bytes.length), bytes)),
    ...(serverName !== undefined && { serverName: serverName.toLowerCase() }),
  };
}

/** Times in whole seconds. */
export function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

/** The session that is expected in a test that goes on with it. */
export function sessionIn(decoded: Session | BindingRefusal | undefined): Session {
  if (decoded === undefined || typeof decoded === 'string')
    throw new Error(`got ${String(decoded)}, expected a session`);
  return decoded;
}

export function encoded(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error('got no state, expected one');
  return bytes;
}

const refusals: readonly unknown[] = ['too_old', 'expired', 'context_mismatch', 'client_certificate_distrusted'];

/** Each bit of each byte the other way round, and each strict prefix: no throw, and what still is a session is one. */
export function expectNoHarm(
  codec: Codec<unknown>,
  encoding: SessionEncoding,
  state: Uint8Array,
  where = place(),
): void {
  const changed: Uint8Array[] = [];
  for (let at = 0; at < state.length; at++) {
    changed.push(state.slice(0, at));
    for (let bit = 0; bit < 8; bit++) changed.push(state.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte)));
  }
  let readable = 0;
  for (const bytes of changed) {
    const untouched = bytes.slice();
    const session = encoding.decode(bytes, where);
    const fields = decodeOrUndefined(codec, bytes);
    if (fields !== undefined) {
      readable++;
      // Not by toEqual, which takes a hundred times as long.
      if (toHex(codec.encode(fields)) !== toHex(bytes)) expect(codec.encode(fields)).toEqual(bytes);
    }
    if (toHex(bytes) !== toHex(untouched)) expect(bytes).toEqual(untouched);
    if (session === undefined || refusals.includes(session)) continue;
    expect(fields).toBeDefined();
    expect(secretOf(sessionIn(session)).some((byte) => byte !== 0)).toBe(true);
  }
  // Names and secrets are anybody's bytes.
  expect(readable).toBeGreaterThan(100);
}

/** As {@link expectNoHarm}, of what is only read. */
export function expectReadSafely(read: (bytes: Uint8Array) => unknown, state: Uint8Array): void {
  expect(read(state)).toBeDefined();
  let readable = 0;
  for (let at = 0; at < state.length; at++) {
    if (read(state.slice(0, at)) !== undefined) readable++;
    for (let bit = 0; bit < 8; bit++)
      if (read(state.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))) !== undefined) readable++;
  }
  expect(readable).toBeGreaterThan(100);
}
