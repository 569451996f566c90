/** `connect`: a client's connection, with the signatures of `tls.connect`. */
import { once } from 'node:events';
import { connect as connectTransport, isIP, Socket, type IpcNetConnectOpts, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { domainToASCII } from 'node:url';
import { clientSettings } from '../../connection/config.js';
import { clientConnection } from '../../connection/connection.js';
import type { ClientOptions } from '../../connection/options.js';
import { UsageError } from '../../errors.js';
import type { ClientSettings } from '../../handshake/settings.js';
import { clientSessionState } from '../../sessions/session-state.js';
import type { SessionStore } from '../../sessions/store.js';
import type { NodeVerifierOptions } from '../x509/node-verifier.js';
import { credentialsOf } from './identity.js';
import { listOf } from './lists.js';
import {
  commonOptions,
  defaultHandshakeTimeout,
  given,
  refuseOptions,
  verifierOf,
  type SecureOptions,
} from './options.js';
import { clientPsks, clientTls12Psks, type ClientPskCallback } from './psk.js';
import type { TLSSocketEvents } from './socket-events.js';
import { TLSSocket } from './tls-socket.js';

type TransportOptions = Omit<Partial<TcpNetConnectOpts>, 'allowHalfOpen'> & Partial<Pick<IpcNetConnectOpts, 'path'>>;

/** Options that `node:tls` has no names for. */
type OwnOptions = Pick<ClientOptions, (typeof ownOptions)[number]>;
const ownOptions = [
  'applicationContext',
  'chooseCredentials',
  'foreignSessions',
  'keyShareGroups',
  'middleboxCompatibility',
  'permuteExtensions',
  'requestSignedCertificateTimestamps',
  'ticketRequest',
] as const;

export interface ConnectOptions
  extends SecureOptions, OwnOptions, TransportOptions, Pick<NodeVerifierOptions, 'checkServerIdentity'> {
  /** A connected or connecting stream to talk over, in place of a new TCP connection. */
  readonly socket?: Duplex;
  /** Name for server_name and for the certificate. Default: `host`, if it is no IP address. Empty: no server_name. */
  readonly servername?: string;
  /**
   * What `getSession` or the event `session` of an earlier connection gave, or several, most preferred first. One that is not fit
   * is passed over. Those of TLS 1.3 should be used once each (RFC 8446 C.4).
   */
  readonly session?: Uint8Array | readonly Uint8Array[];
  /** Where sessions are kept from one connection to the next, one for each `host:port`. */
  readonly sessionCache?: SessionStore;
  /**
   * Whose sessions are to be offered, where that is not `host:port`: an FTPS server wants to see the session of its control connection on
   * every data connection, whatever its port (RFC 4217 10). The name in the certificate is asked for as ever.
   */
  readonly peerIdentity?: string;
  /**
   * Sent with the first flight of TLS 1.3, before the server has said anything (RFC 8446 2.3), if the session allows as much: all of
   * it or nothing. Whoever records it can send it again, so nothing belongs here that is not safe to be done twice. After the
   * handshake {@link TLSSocket.earlyDataAccepted} tells whether the server has read it; if not, it is yours to send again.
   */
  readonly earlyData?: Uint8Array;
  /** Asks for the OCSP response of the server's certificate (RFC 6066 8): the event `OCSPResponse` brings it, or null. */
  readonly requestOCSP?: boolean;
  /** The external PSK to offer beside certificates; in TLS 1.2 with the suites for it, if `ciphers` names any. */
  readonly pskCallback?: ClientPskCallback;
}

/**
 * Connects to a TLS server. `secureConnect` and `callback` follow when the server is authenticated and both sides share keys.
 * Throws `UsageError` for options that cannot work; everything later is an `error` event.
 *
 * ```ts
 * const socket = connect({ host: 'example.com', port: 443 }, () => socket.end('hello'));
 * ```
 */
export function connect(options: ConnectOptions, callback?: () => void): TLSSocket;
export function connect(port: number, host?: string, options?: ConnectOptions, callback?: () => void): TLSSocket;
export function connect(port: number, options?: ConnectOptions, callback?: () => void): TLSSocket;
export function connect(
  ...parameters: readonly (ConnectOptions | number | string | (() => void) | undefined)[]
): TLSSocket {
  let options: ConnectOptions = {};
  let callback: (() => void) | undefined;
  for (const parameter of parameters) {
    if (typeof parameter === 'number') options = { ...options, port: parameter };
    else if (typeof parameter === 'string') options = { ...options, host: parameter };
    else if (typeof parameter === 'function') callback = parameter;
    else options = { ...options, ...parameter };
  }
  const socket = open(options);
  if (callback !== undefined) socket.once('secureConnect', callback);
  return socket;
}

function open(options: ConnectOptions): TLSSocket {
  const opened: { socket?: TLSSocket; transport?: Duplex } = {};
  const log = (line: Buffer) => void opened.socket?.emit('keylog', line);
  const keyLog = (line: string) => {
    const bytes = Buffer.from(`${line}\n`);
    if (opened.socket !== undefined) log(bytes);
    // Keys of early data are made before there is a socket to listen to.
    else process.nextTick(log, bytes);
  };
  const settings = settingsOf(options, keyLog, () => opened.transport);
  const { limits, earlyData } = options;
  const transport = openTransport(options);
  opened.transport = transport;
  opened.socket = new TLSSocket(transport, {
    begin: (connectionOptions) => clientConnection(settings, connectionOptions),
    connection: limits === undefined ? {} : { limits },
    allowHalfOpen: options.allowHalfOpen ?? false,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    handshakeTimeout: options.handshakeTimeout ?? defaultHandshakeTimeout,
    ...(earlyData !== undefined && { earlyData }),
  });
  if (settings.requestOcspResponse) emitOcspResponse(opened.socket);
  return opened.socket;
}

/** Before `secureConnect`, so that a listener can still let the server go. */
function emitOcspResponse(socket: TLSSocket): void {
  socket.once('handshake', ({ ocspResponse }) => {
    const parameters: TLSSocketEvents['OCSPResponse'] = [ocspResponse === undefined ? null : Buffer.from(ocspResponse)];
    socket.emit('OCSPResponse', ...parameters);
  });
}

function settingsOf(
  options: ConnectOptions,
  keyLog: (line: string) => void,
  transport: () => Duplex | undefined,
): ClientSettings {
  refuseOptions(options, ['pskIdentityHint']);
  const { sessionCache, chooseCredentials, applicationContext } = options;
  // P-bind-5: who chooses credentials by user has to name the user.
  if (sessionCache !== undefined && chooseCredentials !== undefined && !applicationContext?.length)
    throw new UsageError(
      'invalid_option',
      '`sessionCache` together with `chooseCredentials` needs `applicationContext`',
    );
  const { servername, host: address = 'localhost', port = 0, path } = options;
  const host = servername === undefined || servername === '' ? address : servername;
  const serverName = servername === '' || isIP(host) !== 0 ? undefined : dnsName(host);
  const sessions = listOf(options.session ?? []).map((session) => clientSessionState.decode(session));
  const verifier = verifierOf(options, options.checkServerIdentity);
  return clientSettings({
    ...commonOptions(options, options.maxVersion === 'TLSv1.2' ? [] : clientPsks(options.pskCallback)),
    ...clientTls12Psks(options),
    ...given(options, [...ownOptions, 'tickets']),
    requestOcspResponse: options.requestOCSP ?? false,
    ...(serverName !== undefined && { serverName }),
    peerIdentity: options.peerIdentity ?? path ?? `${address}:${String(port)}`,
    session: sessions.filter((session) => session !== undefined),
    earlyData: options.earlyData !== undefined,
    ...(sessionCache !== undefined && { sessions: takenOnceConnected(sessionCache, transport) }),
    credentials: credentialsOf(options),
    // Without server_name the certificate still has to name whom we called.
    verifyCertificate: (question) => verifier({ ...question, serverName: question.serverName ?? host }),
    keyLog,
  });
}

/** RFC 8446 C.4: a ticket is used once, and not lost to a connection that never came about. Without one nothing can be said anyway. */
function takenOnceConnected(store: SessionStore, transport: () => Duplex | undefined): SessionStore {
  if (store.take === undefined) return store;
  return {
    get: (key) => store.get(key),
    set: (key, value, expiresAt) => store.set(key, value, expiresAt),
    delete: (key) => store.delete(key),
    take: (key) => {
      const connecting = transport();
      if (!(connecting instanceof Socket && connecting.connecting)) return store.take?.(key);
      return once(connecting, 'connect').then(() => store.take?.(key));
    },
  };
}

/** RFC 6066 3: A-labels, no trailing dot. */
function dnsName(host: string): string {
  const name = domainToASCII(host.replace(/\.$/, ''));
  if (name === '') throw new UsageError('invalid_option', '`servername` is no host name');
  return name;
}

function openTransport(options: ConnectOptions): Duplex {
  const { path, port } = options;
  if (options.socket !== undefined) return options.socket;
  // What waits to be sent must not be lost because the peer has closed its side: our end follows from TLS.
  if (path !== undefined) return connectTransport({ ...options, allowHalfOpen: true, path });
  if (port !== undefined) return connectTransport({ noDelay: true, ...options, allowHalfOpen: true, port });
  throw new UsageError('invalid_option', '`connect` needs `port`, `path` or `socket`');
}
