/**
 * Targets with a state of their own: this library, BoringSSL, Go and s2n-tls.
 *
 * The surprising thing: neither Go nor s2n-tls writes down for which name or configuration a session was made. Whatever server has the
 * key resumes it, and which names of ours that covers is for `serverNamesOfUnnamedStates` to say.
 */
import { empty } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { boringsslState } from '../sessions/boringssl-state.js';
import { go120State, go121State } from '../sessions/go-state.js';
import { s2nState } from '../sessions/s2n-state.js';
import { wipeSession, type SessionEncoding } from '../sessions/session.js';
import { sessionState } from '../sessions/session-state.js';
import type { TicketLayout } from '../tickets/layout.js';
import { go120Layout, go121Layout } from '../tickets/layouts/go.js';
import { opensslLayout } from '../tickets/layouts/openssl.js';
import { rfc5077Layout } from '../tickets/layouts/rfc5077.js';
import { s2nLayout } from '../tickets/layouts/s2n.js';
import type { TargetOptions, TicketTarget } from './target.js';

export interface TlsResumeTargetOptions {
  /** Default: that of RFC 5077 section 4. */
  readonly layout?: TicketLayout;
  /** Seconds. Default 7200. */
  readonly lifetime?: number;
  /** See {@link TargetOptions}: other servers of the fleet hold the key of this one's tickets, too. */
  readonly trustClientCertificatesInTickets?: boolean;
}

/** A server of this library: for fleets that have others too. Its state names the configuration that it is bound to. */
export function tlsResumeTarget({
  layout = rfc5077Layout,
  lifetime = 7200,
  trustClientCertificatesInTickets = false,
}: TlsResumeTargetOptions = {}): TicketTarget {
  return {
    server: 'tls-resume',
    layout,
    encoding: trustClientCertificatesInTickets ? sessionState : withoutClientCertificates,
    sessionIdContext: undefined,
    lifetime,
    hostRule: 'declined',
    extendedMasterSecretRule: 'rfc7627',
    renewal: { 'TLSv1.2': 'when_key_rotated', 'TLSv1.3': 'always' },
  };
}

const withoutClientCertificates: SessionEncoding = {
  encode: (session) => (session.peerCertificates.length > 0 ? undefined : sessionState.encode(session)),
  decode: (bytes) => {
    const session = sessionState.decode(bytes);
    if (session === undefined || session.peerCertificates.length === 0) return session;
    wipeSession(session);
    return 'client_certificate_distrusted';
  },
};

export interface BoringsslTargetOptions extends TargetOptions {
  /** What the program gives to `SSL_CTX_set_session_id_context`, at most 32 bytes. Default: empty. */
  readonly sessionIdContext?: Uint8Array;
}

/** A program on BoringSSL with keys of its own. It resumes with the very suite of the session only. */
export function boringsslTarget({
  sessionIdContext = empty,
  lifetime = 7200,
  ...options
}: BoringsslTargetOptions = {}): TicketTarget {
  return {
    server: 'BoringSSL',
    layout: opensslLayout,
    encoding: boringsslState({ ...options, lifetime, sessionIdContext }),
    sessionIdContext,
    lifetime,
    hostRule: 'not_recorded',
    extendedMasterSecretRule: 'rfc7627',
    renewal: { 'TLSv1.2': 'never', 'TLSv1.3': 'always' },
  };
}

export interface Go120TargetOptions extends TargetOptions {
  /** Derives the PSK of TLS 1.3 from the resumption master secret that the state holds. */
  readonly crypto: CryptoBackend;
}

/** Go up to 1.20 with `SetSessionTicketKeys`. Tickets of TLS 1.3 can be opened and not be made: see `go120State`. */
export function go120Target({ lifetime = sevenDays, ...options }: Go120TargetOptions): TicketTarget {
  return {
    ...goRules,
    server: 'Go 1.20',
    layout: go120Layout,
    encoding: go120State({ ...options, lifetime }),
    lifetime,
    extendedMasterSecretRule: 'not_recorded',
  };
}

export interface Go121TargetOptions extends TargetOptions {
  /** Go 1.25 and later: see `go121State`. Default: false. */
  readonly withGroup?: boolean;
}

/** Go from 1.21 on with `SetSessionTicketKeys`. */
export function go121Target({ lifetime = sevenDays, ...options }: Go121TargetOptions = {}): TicketTarget {
  return {
    ...goRules,
    server: 'Go 1.21',
    layout: go121Layout,
    encoding: go121State({ ...options, lifetime }),
    lifetime,
    extendedMasterSecretRule: 'rfc7627',
  };
}

/** s2n-tls with `s2n_config_add_ticket_crypto_key`. */
export function s2nTarget({ lifetime = 15 * 60 * 60, ...options }: TargetOptions = {}): TicketTarget {
  return {
    server: 's2n-tls',
    layout: s2nLayout,
    encoding: s2nState({ ...options, lifetime }),
    sessionIdContext: undefined,
    lifetime,
    hostRule: 'not_recorded',
    extendedMasterSecretRule: 'rfc7627',
    renewal: { 'TLSv1.2': 'when_key_rotated', 'TLSv1.3': 'always' },
  };
}

const sevenDays = 7 * 24 * 60 * 60;

const goRules = {
  sessionIdContext: undefined,
  hostRule: 'not_recorded',
  renewal: { 'TLSv1.2': 'always', 'TLSv1.3': 'always' },
} as const;
