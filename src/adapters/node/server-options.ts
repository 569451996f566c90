/** Options of a server with the names of `node:tls`, and what they come to as settings. */
import type { ServerOpts } from 'node:net';
import { serverSettings } from '../../connection/config.js';
import type { ServerOptions as CoreOptions } from '../../connection/options.js';
import type { ResumptionCounters } from '../../handshake/resumption.js';
import type { Credentials, ServerSettings } from '../../handshake/settings.js';
import { maximumTicketLifetime } from '../../sessions/session.js';
import type { SessionStore } from '../../sessions/store.js';
import type { SecureContext } from './identity.js';
import { commonOptions, given, refuseOptions, verifierOf, type SecureOptions } from './options.js';
import { serverTls12Psks, type ServerPskCallback } from './psk.js';
import type { ServerTickets, TicketOptions } from './ticket-keys.js';

/** Options of TLS 1.3 that `node:tls` has no names for. */
type OwnOptions = Pick<CoreOptions, 'earlyData' | 'maximumTicketCount' | 'retryCookie' | 'ticketCount'>;

export interface ServerOptions extends SecureOptions, OwnOptions, TicketOptions, Omit<ServerOpts, 'allowHalfOpen'> {
  /** Asks clients for a certificate, and refuses those without one unless `rejectUnauthorized` is false. */
  readonly requestCert?: boolean;
  /** Keeps sessions under their IDs, and those of TLS 1.3 where `tickets` is false. Default: a `MemoryStore`. */
  readonly sessions?: SessionStore;
  /** Finds the certificate for a name, in place of `addContext`. No context stands for the server's own one, an error refuses. */
  readonly SNICallback?: (servername: string, callback: (error: Error | null, context?: SecureContext) => void) => void;
  /** The external PSK that a client offers; in TLS 1.2 with the suites for it, if `ciphers` names any. */
  readonly pskCallback?: ServerPskCallback;
  /** TLS 1.2: helps clients to choose their identity. */
  readonly pskIdentityHint?: string;
}

/** What a server has beside its options. */
export interface ServerParts {
  readonly credentials: readonly Credentials[];
  readonly sessions: SessionStore;
  readonly tickets: ServerTickets;
  readonly counters: ResumptionCounters;
}

/** Throws `UsageError` for options that cannot work. */
export function settingsOf(options: ServerOptions, parts: ServerParts): ServerSettings {
  const { requestCert = false, rejectUnauthorized = true, sessionTimeout, tickets = true } = options;
  refuseOptions(options, ['requestOCSP']);
  return serverSettings({
    ...commonOptions(options),
    ...given(options, ['earlyData', 'maximumTicketCount', 'retryCookie', 'ticketCount']),
    credentials: parts.credentials,
    ...(tickets && parts.tickets.settings),
    sessions: parts.sessions,
    ...(sessionTimeout !== undefined && {
      ticketLifetimeHint: sessionTimeout,
      ticketLifetime: Math.min(sessionTimeout, maximumTicketLifetime),
      sessionLifetime: sessionTimeout * 1000,
      maximumSessionAge: sessionTimeout * 1000,
    }),
    ...(options.sessionIdContext !== undefined && { applicationContext: Buffer.from(options.sessionIdContext) }),
    counters: parts.counters,
    // Each connection asks the callback with its own socket.
    ...(options.pskCallback !== undefined && { findExternalPsk: () => undefined }),
    ...serverTls12Psks(options),
    ...(requestCert && {
      clientAuthentication: rejectUnauthorized ? 'require' : 'request',
      verifyCertificate: verifierOf(options),
    }),
  });
}
