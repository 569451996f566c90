/**
 * The states that can be told by looking at them, once a ticket is open: which codec reads them, and what session they are.
 *
 * The surprising thing: a state does not say whose it is. Every codec is strict, so that hardly anything reads as two of them; where it
 * does, the first of this list is taken, and a session of TLS 1.2 without extended master secret is OpenSSL's before it is BoringSSL's.
 */
import { copy, empty } from '../bytes.js';
import { concealed } from '../concealed.js';
import type { CryptoBackend } from '../crypto/backend.js';
import type { Codec } from '../presentation/codec.js';
import { boringsslSession, type BoringsslSession } from '../sessions/boringssl-session.js';
import { boringsslState } from '../sessions/boringssl-state.js';
import { decodeOrUndefined } from '../sessions/decode.js';
import type { ForeignStateProfile } from '../sessions/foreign-state.js';
import { type FizzState, readFizzState } from '../sessions/foreign/fizz.js';
import { type GnutlsState, readGnutlsState } from '../sessions/foreign/gnutls.js';
import { type JsseState, readJsse17State, readJsse25State } from '../sessions/foreign/jsse.js';
import { type MbedtlsState, readMbedtlsState } from '../sessions/foreign/mbedtls.js';
import { readWolfsslState, type WolfsslState } from '../sessions/foreign/wolfssl.js';
import { go120Session, go121Session, type Go120Session, type Go121Session } from '../sessions/go-session.js';
import { go120State, go121State } from '../sessions/go-state.js';
import { sslSession, type SslSession } from '../sessions/openssl-session.js';
import { opensslState } from '../sessions/openssl-state.js';
import { s2nSession, type S2nSession } from '../sessions/s2n-session.js';
import { s2nState } from '../sessions/s2n-state.js';
import { maximumTicketLifetime, type Session, type SessionEncoding } from '../sessions/session.js';
import { sessionState } from '../sessions/session-state.js';
import { rfc5077State, statePlaintext, type StatePlaintext } from '../sessions/state-plaintext.js';

/** A state that was read. Its secrets do not print. */
export type ReadState = StateFacts &
  (
    | { readonly encoding: 'tls-resume'; readonly fields: Session }
    | { readonly encoding: 'rfc5077'; readonly fields: StatePlaintext }
    | { readonly encoding: 'openssl'; readonly fields: SslSession }
    | { readonly encoding: 'boringssl'; readonly fields: BoringsslSession }
    | { readonly encoding: 's2n'; readonly fields: S2nSession }
    | { readonly encoding: 'go121'; readonly fields: Go121Session }
    | { readonly encoding: 'go120'; readonly fields: Go120Session }
    | { readonly encoding: 'gnutls'; readonly fields: GnutlsState }
    | { readonly encoding: 'mbedtls'; readonly fields: MbedtlsState }
    | { readonly encoding: 'wolfssl'; readonly fields: WolfsslState }
    | { readonly encoding: 'jsse25' | 'jsse17'; readonly fields: JsseState }
    | { readonly encoding: 'fizz'; readonly fields: FizzState }
  );

interface StateFacts {
  /** Milliseconds, of the ticket, as far as the state tells it from the handshake. */
  readonly issuedAt: number;
  /** Seconds from then that the state says it lives; `undefined` where it leaves that to the server. */
  readonly lifetime: number | undefined;
  /**
   * The session that it is, apart from any place to resume; `undefined` for one that can resume nowhere, and for what only its own server
   * takes: GnuTLS, mbed TLS, wolfSSL, SunJSSE and fizz.
   */
  readonly session: Session | undefined;
}

/** `undefined` for a state of a server that is not known here. */
export function readState(state: Uint8Array, crypto: CryptoBackend): ReadState | undefined {
  for (const read of readers) {
    const found = read(state, crypto);
    if (found !== undefined) return found;
  }
  return undefined;
}

type Reader = (state: Uint8Array, crypto: CryptoBackend) => ReadState | undefined;

const readers: readonly Reader[] = [
  (state) => {
    const session = sessionState.decode(state);
    if (session === undefined) return undefined;
    const lifetime = session.version === 'TLSv1.3' ? session.ticketLifetime : undefined;
    return { encoding: 'tls-resume', fields: session, session, issuedAt: session.issuedAt, lifetime };
  },
  reading(sslSession, (fields, state) => {
    const { time = 0, timeout, secret } = fields;
    const profile = { ...lenient(fields.sessionIdContext), lifetime: asLifetime(timeout) };
    const facts = factsOf(opensslState(profile), state, time * 1000, timeout);
    return { ...facts, encoding: 'openssl', fields: { ...fields, secret: hidden(secret) } };
  }),
  reading(boringsslSession, (fields, state) => {
    const { time, timeout, secret } = fields;
    const facts = factsOf(boringsslState(lenient(fields.sessionIdContext)), state, time * 1000, timeout);
    return { ...facts, encoding: 'boringssl', fields: { ...fields, secret: hidden(secret) } };
  }),
  reading(s2nSession, (fields, state) => {
    const facts = factsOf(s2nState(lenient()), state, Number(fields.state.issuedAt / 1_000_000n));
    return { ...facts, encoding: 's2n', fields: hiddenS2n(fields) };
  }),
  reading(go121Session, (fields, state) => {
    const facts = factsOf(go121State(lenient()), state, Number(fields.createdAt) * 1000);
    return { ...facts, encoding: 'go121', fields: { ...fields, secret: hidden(fields.secret) } };
  }),
  reading(go120Session, (fields, state, crypto) => {
    const facts = factsOf(go120State({ ...lenient(), crypto }), state, Number(fields.state.createdAt) * 1000);
    return { ...facts, encoding: 'go120', fields: hiddenGo120(fields) };
  }),
  (state) => {
    const fields = readGnutlsState(state);
    if (fields === undefined) return undefined;
    const { timestamp, expireTime } = fields.session;
    const issuedAt = Number(fields.ticket?.creationSeconds ?? timestamp) * 1000;
    const lifetime = fields.ticket?.ticketLifetime ?? expireTime;
    return { ...readOnly(issuedAt, lifetime), encoding: 'gnutls', fields: hiddenGnutls(fields) };
  },
  (state) => {
    const fields = readMbedtlsState(state);
    if (fields === undefined) return undefined;
    const masterSecret = hidden(fields.masterSecret);
    return { ...readOnly(Number(fields.start) * 1000), encoding: 'mbedtls', fields: { ...fields, masterSecret } };
  },
  (state) => {
    const fields = readWolfsslState(state);
    if (fields === undefined) return undefined;
    return { ...readOnly(fields.issuedAt), encoding: 'wolfssl', fields: { ...fields, secret: hidden(fields.secret) } };
  },
  (state) => ofJava('jsse25', readJsse25State(state)),
  (state) => ofJava('jsse17', readJsse17State(state)),
  (state) => {
    const fields = readFizzState(state);
    if (fields === undefined) return undefined;
    const issuedAt = Number(fields.issuedAt) * 1000;
    return { ...readOnly(issuedAt), encoding: 'fizz', fields: { ...fields, secret: hidden(fields.secret) } };
  },
  reading(statePlaintext, (fields, state) => ({
    encoding: 'rfc5077',
    fields: { ...fields, masterSecret: hidden(fields.masterSecret) },
    session: rfc5077State.decode(state),
    issuedAt: fields.timestamp * 1000,
    lifetime: undefined,
  })),
];

function reading<T>(
  codec: Codec<T>,
  found: (fields: T, state: Uint8Array, crypto: CryptoBackend) => ReadState,
): Reader {
  return (state, crypto) => {
    const fields = decodeOrUndefined(codec, state);
    return fields && found(fields, state, crypto);
  };
}

/** The session as it was at the moment of its issue, when nothing had expired. */
function factsOf(encoding: SessionEncoding, state: Uint8Array, issuedAt: number, lifetime?: number): StateFacts {
  const session = encoding.decode(state, { now: issuedAt, serverName: undefined, applicationContext: empty });
  return { issuedAt, lifetime, session: typeof session === 'object' ? session : undefined };
}

/** What nobody here resumes. */
function readOnly(issuedAt: number, lifetime?: number): StateFacts {
  return { issuedAt, lifetime, session: undefined };
}

function ofJava(encoding: 'jsse25' | 'jsse17', fields: JsseState | undefined): ReadState | undefined {
  return fields && { ...readOnly(fields.createdAt), encoding, fields: { ...fields, secret: hidden(fields.secret) } };
}

function hiddenGnutls({ session, ticket }: GnutlsState): GnutlsState {
  const { tls12 } = session;
  return {
    session: { ...session, tls12: tls12 && { ...tls12, masterSecret: hidden(tls12.masterSecret) } },
    ticket: ticket && { ...ticket, resumptionMasterSecret: hidden(ticket.resumptionMasterSecret) },
  };
}

function hiddenS2n(fields: S2nSession): S2nSession {
  if (fields.format === 'tls13_1') return { ...fields, state: { ...fields.state, psk: hidden(fields.state.psk) } };
  const { format, state } = fields;
  const masterSecret = hidden(state.masterSecret);
  return format === 'tls12_1'
    ? { format, state: { ...state, masterSecret } }
    : { format, state: { ...state, masterSecret } };
}

function hiddenGo120(fields: Go120Session): Go120Session {
  if (fields.version === 'TLSv1.2')
    return { ...fields, state: { ...fields.state, masterSecret: hidden(fields.state.masterSecret) } };
  const { resumptionMasterSecret } = fields.state;
  return { ...fields, state: { ...fields.state, resumptionMasterSecret: hidden(resumptionMasterSecret) } };
}

/** What a codec answers is a view on the state, which is still wanted. */
function hidden(secret: Uint8Array): Uint8Array {
  return concealed(copy(secret));
}

/** As if the ticket were of the full handshake, for only the server's own lifetime says by how much it is older. */
function asLifetime(timeout = 1): number {
  return Math.min(Math.max(timeout, 1), maximumTicketLifetime);
}

/** Believes everything: what a place makes of it comes later. */
function lenient(sessionIdContext = empty): ForeignStateProfile {
  return { lifetime: maximumTicketLifetime, sessionIdContext, trustClientCertificatesInTickets: true };
}
