/** `createServer`: a TLS server over `net.Server`, with the names of `tls.createServer`. */
import { Server as NetServer, type ServerOpts, type Socket } from 'node:net';
import { serverSettings } from '../../connection/config.js';
import { serverConnection } from '../../connection/connection.js';
import { UsageError } from '../../errors.js';
import type { ServerSettings } from '../../handshake/settings.js';
import { resumptionCounters, type ResumptionCounters } from '../../handshake/resumption.js';
import { MemoryStore } from '../../sessions/memory-store.js';
import type { SessionStore } from '../../sessions/store.js';
import { KeyRing } from '../../tickets/key-ring.js';
import { Rfc5077Sealer } from '../../tickets/rfc5077-sealer.js';
import type { TicketSealer } from '../../tickets/sealer.js';
import { nodeCrypto } from '../../crypto/node.js';
import { nodeVerifier } from '../x509/node-verifier.js';
import { commonOptions, credentialsOf, defaultHandshakeTimeout, trustContext, type SecureOptions } from './options.js';
import { TLSSocket } from './tls-socket.js';

export interface ServerOptions extends SecureOptions, ServerOpts {
  /** Asks clients for a certificate, and refuses those without one unless `rejectUnauthorized` is false. */
  readonly requestCert?: boolean;
  /** Seconds that sessions and tickets live. */
  readonly sessionTimeout?: number;
  /** Tells servers apart that share a store or ticket keys: sessions do not cross from one text to another. */
  readonly sessionIdContext?: string;
  /** Seals tickets. Default: a key of this process, rotated daily. Share a ring between processes to resume across them. */
  readonly ticketKeys?: KeyRing | TicketSealer;
  /** Keeps sessions under their IDs. Default: a `MemoryStore`. */
  readonly sessions?: SessionStore;
}

/** Makes a server; `listener` gets each connection whose handshake is complete. Throws `UsageError` for unfit options. */
export function createServer(options: ServerOptions, listener?: (socket: TLSSocket) => void): Server {
  return new Server(options, listener);
}

export class Server extends NetServer {
  readonly #options: ServerOptions;
  readonly #counters = resumptionCounters();
  readonly #sessions: SessionStore;
  #ticketKeys: KeyRing | TicketSealer;
  #settings: ServerSettings;

  constructor(options: ServerOptions, listener?: (socket: TLSSocket) => void) {
    super({ noDelay: true, ...options, allowHalfOpen: false });
    const { now = Date.now, crypto = nodeCrypto } = options;
    this.#options = options;
    this.#sessions = options.sessions ?? new MemoryStore({ now });
    this.#ticketKeys = options.ticketKeys ?? new KeyRing({ crypto, now, automaticRotation: true });
    this.#settings = this.#configure();
    if (listener !== undefined) this.on('secureConnection', listener);
    this.on('connection', (socket: Socket) => this.#accept(socket));
  }

  /** How many handshakes were full, how many resumed, and why the others did not. */
  get counters(): Readonly<ResumptionCounters> {
    return this.#counters;
  }

  getTicketKeys(): KeyRing | TicketSealer {
    return this.#ticketKeys;
  }

  /** Connections that come from now on seal and open tickets with these. To rotate keys, rotate the ring instead. */
  setTicketKeys(ticketKeys: KeyRing | TicketSealer): void {
    this.#ticketKeys = ticketKeys;
    this.#settings = this.#configure();
  }

  #configure(): ServerSettings {
    const options = this.#options;
    const { requestCert = false, rejectUnauthorized = true, sessionTimeout, tickets = true } = options;
    return serverSettings({
      ...commonOptions(options),
      credentials: credentialsOf(options),
      ...(tickets && { tickets: sealerOf(this.#ticketKeys, options) }),
      sessions: this.#sessions,
      ...(sessionTimeout !== undefined && {
        ticketLifetimeHint: sessionTimeout,
        sessionLifetime: sessionTimeout * 1000,
        maximumSessionAge: sessionTimeout * 1000,
      }),
      applicationContext: trustContext(options, options.sessionIdContext),
      counters: this.#counters,
      ...(requestCert && {
        clientAuthentication: rejectUnauthorized ? 'require' : 'request',
        verifyCertificate: options.verifyCertificate ?? defaultVerifier(options),
      }),
    });
  }

  #accept(transport: Socket): void {
    const socket = new TLSSocket(transport, {
      begin: (connectionOptions) => serverConnection(this.#settings, connectionOptions),
      connection: this.#options.limits === undefined ? {} : { limits: this.#options.limits },
      rejectUnauthorized: this.#options.rejectUnauthorized ?? true,
      handshakeTimeout: this.#options.handshakeTimeout ?? defaultHandshakeTimeout,
    });
    const failed = (error: Error) => this.emit('tlsClientError', error, socket);
    socket.on('error', failed);
    socket.once('secure', () => {
      socket.off('error', failed);
      this.emit('secureConnection', socket);
    });
  }
}

function sealerOf(ticketKeys: KeyRing | TicketSealer, { crypto = nodeCrypto }: ServerOptions): TicketSealer {
  if (ticketKeys instanceof KeyRing) return new Rfc5077Sealer({ crypto, keys: ticketKeys });
  if (ticketKeys instanceof Uint8Array)
    throw new UsageError(
      'invalid_option',
      '`ticketKeys` is a KeyRing or a TicketSealer; 48-byte keys are not supported',
    );
  return ticketKeys;
}

function defaultVerifier({ ca, now }: ServerOptions): ReturnType<typeof nodeVerifier> {
  return nodeVerifier({ ...(ca !== undefined && { ca }), ...(now !== undefined && { now }) });
}
