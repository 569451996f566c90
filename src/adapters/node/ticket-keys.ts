/**
 * What seals and opens the tickets of a server: a ring or a sealer of ours, a fleet's, or the 48 bytes of `node:tls`.
 *
 * The surprising thing about the 48 bytes: with them tickets are Node.js's own, for a server of `node:tls` with the same bytes and the same
 * `sessionIdContext` to resume. Such tickets say less than ours: not what clients are trusted by, and those of Node.js not even the host name.
 * In TLS 1.3 both servers have to prefer suites of one hash (RFC 8446 4.2.11), which for Node.js is that of TLS_AES_256_GCM_SHA384.
 */
import { createHash } from 'node:crypto';
import { concealed } from '../../concealed.js';
import { defaultTicketLifetimeHint, type ServerOptions as CoreOptions } from '../../connection/options.js';
import { copy, wipe } from '../../bytes.js';
import { nodeCrypto } from '../../crypto/node.js';
import { maximumTicketLifetime } from '../../sessions/session.js';
import { nodeTarget } from '../../targets/openssl-family.js';
import type { FleetTickets } from '../../targets/fleet.js';
import { parseTicketKeys } from '../../tickets/key-files/parse.js';
import { defaultOpeningPeriod } from '../../tickets/key-ring-options.js';
import { KeyRing } from '../../tickets/key-ring.js';
import { opensslLayout } from '../../tickets/layouts/openssl.js';
import { RingSealer } from '../../tickets/ring-sealer.js';
import type { TicketSealer } from '../../tickets/sealer.js';
import { secretParts } from '../../tickets/ticket-key.js';
import type { TargetOptions } from '../../targets/target.js';
import type { SecureOptions } from './options.js';

/**
 * A ring of keys in the layout of RFC 5077, a sealer with a layout of its own, what `fleetTickets` makes, or 48 bytes as `node:tls` has
 * them: name, HMAC key, AES key.
 */
export type TicketKeys = KeyRing | TicketSealer | FleetTickets | Uint8Array;

/** Options of a server about its tickets. The last two of {@link TargetOptions} are for the 48 bytes of `node:tls`. */
export interface TicketOptions extends Pick<
  TargetOptions,
  'serverNamesOfUnnamedStates' | 'trustClientCertificatesInTickets'
> {
  /** Seconds that sessions and tickets live. */
  readonly sessionTimeout?: number;
  /** Tells servers apart that share a store or ticket keys: sessions do not cross from one text to another. */
  readonly sessionIdContext?: string;
  /**
   * Default: keys of this server alone, a fresh one every day. Share a ring between processes to resume across them, or 48 bytes with servers
   * of `node:tls`: their tickets record no host name, and open for clients that ask for one of `serverNamesOfUnnamedStates`, or for none.
   */
  readonly ticketKeys?: TicketKeys;
}

/** With what else a ring has to know. */
type Options = TicketOptions & Pick<SecureOptions, 'now' | 'crypto'>;

/** Ticket keys, and what they come to. */
export interface ServerTickets {
  readonly keys: TicketKeys;
  readonly settings: Pick<CoreOptions, 'tickets' | 'ticketEncoding' | 'ticketLifetime' | 'ticketLifetimeHint'>;
}

/** Sets keys up for as long as the server has them. Throws `UsageError('invalid_key')` for bytes that are no 48 random ones. */
export function serverTickets(options: Options, keys: TicketKeys = ownTicketKeys(options)): ServerTickets {
  if (keys instanceof Uint8Array) return { keys: concealed(copy(keys)), settings: nodeTickets(options, keys) };
  if (keys instanceof KeyRing) return { keys, settings: { tickets: new RingSealer({ keys }) } };
  return { keys, settings: 'ticketEncoding' in keys ? keys : { tickets: keys } };
}

/** A fresh key every day, which opens for as long as its tickets live. */
function ownTicketKeys(options: Options): KeyRing {
  return new KeyRing({ ...ringOptions(options), automaticRotation: true });
}

function ringOptions({ now = Date.now, crypto = nodeCrypto, sessionTimeout = 0 }: Options) {
  return { now, crypto, openingPeriod: Math.max(sessionTimeout * 1000, defaultOpeningPeriod) };
}

function nodeTickets(options: Options, bytes: Uint8Array): ServerTickets['settings'] {
  const { sessionTimeout = defaultTicketLifetimeHint, sessionIdContext = defaultSessionIdContext() } = options;
  const { serverNamesOfUnnamedStates, trustClientCertificatesInTickets } = options;
  const { encoding } = nodeTarget({
    sessionIdContext,
    // OpenSSL has no session that lives no time at all.
    lifetime: Math.min(Math.max(sessionTimeout, 1), maximumTicketLifetime),
    ...(serverNamesOfUnnamedStates !== undefined && { serverNamesOfUnnamedStates }),
    ...(trustClientCertificatesInTickets !== undefined && { trustClientCertificatesInTickets }),
  });
  const parsed = parseTicketKeys('node48', bytes);
  try {
    const keys = new KeyRing({ ...ringOptions(options), keys: parsed });
    return { tickets: new RingSealer({ keys, layout: opensslLayout }), ticketEncoding: encoding };
  } finally {
    wipe(...parsed.flatMap(secretParts));
  }
}

/** As `tls.createServer` does: servers of one program with the same arguments share sessions. */
function defaultSessionIdContext(): string {
  return createHash('sha1').update(process.argv.join(' ')).digest('hex').slice(0, 32);
}
