/** `connect`: a client's connection, with the signatures of `tls.connect`. */
import { connect as connectTransport, isIP } from 'node:net';
import type { IpcNetConnectOpts, TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { clientSettings } from '../../connection/config.js';
import { clientConnection } from '../../connection/connection.js';
import { UsageError } from '../../errors.js';
import type { CertificateVerifier } from '../../handshake/settings.js';
import { clientSessionState } from '../../sessions/session-state.js';
import type { SessionStore } from '../../sessions/store.js';
import { nodeVerifier } from '../x509/node-verifier.js';
import { commonOptions, credentialsOf, defaultHandshakeTimeout, trustContext, type SecureOptions } from './options.js';
import { TLSSocket } from './tls-socket.js';

type TransportOptions = Partial<Omit<TcpNetConnectOpts, 'port'>> & Partial<Pick<TcpNetConnectOpts, 'port'>>;

export interface ConnectOptions extends SecureOptions, TransportOptions, Partial<Pick<IpcNetConnectOpts, 'path'>> {
  /** A connected or connecting stream to talk over, in place of a new TCP connection. */
  readonly socket?: Duplex;
  /** Name for server_name and for the certificate. Default: `host`, if it is no IP address. Empty: no server_name. */
  readonly servername?: string;
  /** What `getSession` of an earlier connection gave. One that is not fit is passed over. */
  readonly session?: Uint8Array;
  /** Where sessions are kept from one connection to the next, for each `host:port` one. */
  readonly sessionCache?: SessionStore;
}

/**
 * Connects to a TLS server. `secureConnect` and `callback` follow when the server is authenticated and both sides share keys.
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
    else if (typeof parameter === 'object') options = { ...options, ...parameter };
    else callback ??= parameter;
  }
  const socket = open(options);
  if (callback !== undefined) socket.once('secureConnect', callback);
  return socket;
}

function open(options: ConnectOptions): TLSSocket {
  const { servername, host: address = 'localhost' } = options;
  const host = servername === undefined || servername === '' ? address : servername;
  const serverName = isIP(host) !== 0 || servername === '' ? undefined : host;
  const session = options.session && clientSessionState.decode(options.session);
  // A line of the key log is made in mid-handshake, when the socket is there.
  const keyLog = (line: string) => void socket.emit('keylog', Buffer.from(`${line}\n`));
  const settings = clientSettings({
    ...commonOptions(options),
    ...(serverName !== undefined && { serverName }),
    peerIdentity: options.path ?? `${options.host ?? 'localhost'}:${String(options.port ?? 0)}`,
    ...(session !== undefined && { session }),
    ...(options.sessionCache !== undefined && { sessions: options.sessionCache }),
    ...(options.tickets !== undefined && { tickets: options.tickets }),
    credentials: credentialsOf(options),
    applicationContext: trustContext(options),
    verifyCertificate: verifierOf(options, host),
    keyLog,
  });
  const socket = new TLSSocket(openTransport(options), {
    begin: (connectionOptions) => clientConnection(settings, connectionOptions),
    connection: options.limits === undefined ? {} : { limits: options.limits },
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    handshakeTimeout: options.handshakeTimeout ?? defaultHandshakeTimeout,
  });
  return socket;
}

function verifierOf(options: ConnectOptions, host: string): CertificateVerifier {
  const { ca, now } = options;
  return (
    options.verifyCertificate ??
    nodeVerifier({ host, ...(ca !== undefined && { ca }), ...(now !== undefined && { now }) })
  );
}

function openTransport(options: ConnectOptions): Duplex {
  const { path, port } = options;
  if (options.socket !== undefined) return options.socket;
  if (path !== undefined) return connectTransport({ ...options, path });
  if (port !== undefined) return connectTransport({ noDelay: true, ...options, port });
  throw new UsageError('invalid_option', '`connect` needs `port`, `path` or `socket`');
}
