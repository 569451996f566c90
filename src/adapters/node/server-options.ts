/** Options of a server with the names of `node:tls`, and what they come to as settings. */
import type { ServerOpts } from 'node:net';
import { serverSettings } from '../../connection/config.js';
import type { ServerOptions as CoreOptions } from '../../connection/options.js';
import { nodeCrypto } from '../../crypto/node.js';
import { UsageError } from '../../errors.js';
import type { ResumptionCounters } from '../../handshake/resumption.js';
import type { Credentials, ServerSettings } from '../../handshake/settings.js';
import { maximumTicketLifetime } from '../../sessions/session.js';
import type { SessionStore } from '../../sessions/store.js';
import { defaultOpeningPeriod, KeyRing } from '../../tickets/key-ring.js';
import { RingSealer } from '../../tickets/ring-sealer.js';
import type { TicketSealer } from '../../tickets/sealer.js';
import type { SecureContext } from './identity.js';
import { commonOptions, given, refuseOptions, trustContext, verifierOf, type SecureOptions } from './options.js';
import { serverTls12Psks, type ServerPskCallback } from './psk.js';

/** What seals and opens tickets: a ring of keys in the layout of RFC 5077, or a sealer with a layout of its own. */
export type TicketKeys = KeyRing | TicketSealer;

/** Options of TLS 1.3 that `node:tls` has no names for. */
type OwnOptions = Pick<CoreOptions, 'earlyData' | 'maximumTicketCount' | 'retryCookie' | 'ticketCount'>;

export interface ServerOptions extends SecureOptions, OwnOptions, Omit<ServerOpts, 'allowHalfOpen'> {
  /** Asks clients for a certificate, and refuses those without one unless `rejectUnauthorized` is false. */
  readonly requestCert?: boolean;
  /** Seconds that sessions and tickets live. */
  readonly sessionTimeout?: number;
  /** Tells servers apart that share a store or ticket keys: sessions do not cross from one text to another. */
  readonly sessionIdContext?: string;
  /** Default: keys of this server alone, a fresh one every day. Share a ring between processes to resume across them. */
  readonly ticketKeys?: TicketKeys;
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
  readonly ticketKeys: TicketKeys;
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
    ...(tickets && { tickets: sealerOf(parts.ticketKeys) }),
    sessions: parts.sessions,
    ...(sessionTimeout !== undefined && {
      ticketLifetimeHint: sessionTimeout,
      ticketLifetime: Math.min(sessionTimeout, maximumTicketLifetime),
      sessionLifetime: sessionTimeout * 1000,
      maximumSessionAge: sessionTimeout * 1000,
    }),
    applicationContext: trustContext(options, options.sessionIdContext),
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

/** A fresh key every day, which opens for as long as its tickets live. */
export function ownTicketKeys({ now = Date.now, crypto = nodeCrypto, sessionTimeout = 0 }: ServerOptions): KeyRing {
  const openingPeriod = Math.max(sessionTimeout * 1000, defaultOpeningPeriod);
  return new KeyRing({ crypto, now, automaticRotation: true, openingPeriod });
}

function sealerOf(keys: TicketKeys): TicketSealer {
  if (keys instanceof KeyRing) return new RingSealer({ keys });
  if (keys instanceof Uint8Array)
    throw new UsageError(
      'invalid_option',
      '`ticketKeys` is a KeyRing or a TicketSealer; 48 bytes of keys are not supported',
    );
  return keys;
}
