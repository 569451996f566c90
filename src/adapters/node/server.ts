/** `createServer`: a TLS server over `net.Server`, with the names of `tls.createServer`. */
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { serverConnection } from '../../connection/connection.js';
import type { EarlyDataEvent } from '../../connection/events.js';
import type { MaybePromise } from '../../crypto/backend.js';
import { goOn } from '../../crypto/maybe-promise.js';
import type { Answers } from '../../handshake/needs.js';
import { resumptionCounters, type ResumptionCounters } from '../../handshake/resumption.js';
import type { ServerSettings } from '../../handshake/settings.js';
import { MemoryStore } from '../../sessions/memory-store.js';
import type { ServerEvents } from './server-events.js';
import type { Listener } from './socket-events.js';
import { createSecureContext, credentialsOf, type IdentityOptions, type SecureContext } from './identity.js';
import { defaultHandshakeTimeout } from './options.js';
import { serverPsk, serverPskKey } from './psk.js';
import { SecureContexts } from './secure-context.js';
import { askForContext, findOcspResponse, findSession, storeSession, takeSession } from './server-answers.js';
import { settingsOf, type ServerOptions, type ServerParts } from './server-options.js';
import { serverTickets, type TicketKeys } from './ticket-keys.js';
import { TLSSocket } from './tls-socket.js';

/**
 * Makes a server; `listener` gets each connection whose handshake is complete. Throws `UsageError` for unfit options.
 *
 * ```ts
 * createServer({ cert, key }, (socket) => socket.pipe(socket)).listen(4433);
 * ```
 */
export function createServer(options: ServerOptions, listener?: (socket: TLSSocket) => void): Server {
  return new Server(options, listener);
}

export class Server extends NetServer {
  readonly #options: ServerOptions;
  readonly #contexts = new SecureContexts();
  /** Settings that differ from ours in the certificate alone. */
  #settingsByContext = new WeakMap<SecureContext, ServerSettings>();
  #parts: ServerParts;
  #settings: ServerSettings;

  constructor(options: ServerOptions, listener?: (socket: TLSSocket) => void) {
    super({ noDelay: true, ...options, allowHalfOpen: true });
    const { now = Date.now } = options;
    this.#options = options;
    this.#parts = {
      credentials: credentialsOf(options),
      sessions: options.sessions ?? new MemoryStore({ now }),
      tickets: serverTickets(options, options.ticketKeys),
      counters: resumptionCounters(),
    };
    this.#settings = settingsOf(options, this.#parts);
    if (listener !== undefined) this.on('secureConnection', listener);
    this.on('connection', (socket: Duplex) => this.#accept(socket));
  }

  /** How many handshakes were full, how many resumed, and why the others did not. */
  get counters(): Readonly<ResumptionCounters> {
    return this.#parts.counters;
  }

  /** What was set; 48 bytes as a Buffer of the caller's own. */
  getTicketKeys(): Exclude<TicketKeys, Uint8Array> | Buffer {
    const { keys } = this.#parts.tickets;
    return keys instanceof Uint8Array ? Buffer.from(keys) : keys;
  }

  /** Connections that come from now on use these. To rotate keys, rotate the ring instead. */
  setTicketKeys(ticketKeys: TicketKeys): void {
    this.#configure({ ...this.#parts, tickets: serverTickets(this.#options, ticketKeys) });
  }

  /** Connections that come from now on show this chain, one that was renewed for example. Sessions go on. */
  setSecureContext(options: IdentityOptions): void {
    this.#configure({ ...this.#parts, credentials: credentialsOf(options) });
  }

  /** Another chain for clients that ask for `hostname`, which may begin with `*.`; the last one added wins. */
  addContext(hostname: string, context: SecureContext | IdentityOptions): void {
    this.#contexts.add(hostname, createSecureContext(context));
  }

  override on<E extends keyof ServerEvents>(event: E, listener: (...parameters: ServerEvents[E]) => void): this;
  override on(event: string | symbol, listener: Listener): this;
  override on(event: string, listener: Listener): this {
    return super.on(event, listener);
  }

  override once<E extends keyof ServerEvents>(event: E, listener: (...parameters: ServerEvents[E]) => void): this;
  override once(event: string | symbol, listener: Listener): this;
  override once(event: string, listener: Listener): this {
    return super.once(event, listener);
  }

  #configure(parts: ServerParts): void {
    this.#settings = settingsOf(this.#options, parts);
    this.#parts = parts;
    this.#settingsByContext = new WeakMap();
  }

  #accept(transport: Duplex): void {
    const { limits, pskCallback, rejectUnauthorized = true, allowHalfOpen = false } = this.#options;
    const { handshakeTimeout = defaultHandshakeTimeout } = this.#options;
    const withKeyLog = (settings: ServerSettings): ServerSettings =>
      this.listenerCount('keylog') === 0
        ? settings
        : { ...settings, keyLog: (line) => void this.emit('keylog', Buffer.from(`${line}\n`), socket) };
    const answers: Partial<Answers> = {
      choose_settings: ({ hello }) => goOn(this.#choose(hello.serverName), withKeyLog),
      find_session: (question) => findSession(this, question),
      take_session: (question) => takeSession(this, question, this.#settings.earlyData?.singleUseTickets === true),
      store_session: (question) => storeSession(this, question),
      find_ocsp_response: (question) => findOcspResponse(this, question),
      ...(pskCallback !== undefined && {
        find_external_psk: ({ identity }) => serverPsk(pskCallback, socket, identity),
        find_tls12_psk: ({ identity }) => serverPskKey(pskCallback, socket, identity),
      }),
    };
    const socket = new TLSSocket(transport, {
      begin: (options) => serverConnection(withKeyLog(this.#settings), options),
      connection: { answers, ...(limits !== undefined && { limits }) },
      allowHalfOpen,
      rejectUnauthorized,
      handshakeTimeout,
    });
    const failed = (error: Error) => void this.emit('tlsClientError', error, socket);
    socket.once('error', failed);
    const early = ({ accepted }: EarlyDataEvent) => {
      if (accepted) this.emit('earlyData', socket);
    };
    socket.once('earlyData', early);
    socket.once('secure', () => {
      socket.off('error', failed).off('earlyData', early);
      this.emit('secureConnection', socket);
    });
  }

  #choose(serverName: string | undefined): MaybePromise<ServerSettings> {
    const { SNICallback } = this.#options;
    if (serverName === undefined) return this.#settings;
    if (SNICallback === undefined) return this.#settingsFor(this.#contexts.find(serverName));
    return askForContext(SNICallback, serverName).then((context) => this.#settingsFor(context));
  }

  #settingsFor(context: SecureContext | undefined): ServerSettings {
    if (context === undefined) return this.#settings;
    const { credentials } = context;
    const settings = this.#settingsByContext.get(context) ?? settingsOf(this.#options, { ...this.#parts, credentials });
    this.#settingsByContext.set(context, settings);
    return settings;
  }
}
