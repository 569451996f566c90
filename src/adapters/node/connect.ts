/** `connect`: a client's connection, with the signatures of `tls.connect`. */
import { connect as connectTransport, isIP, type IpcNetConnectOpts, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { domainToASCII } from 'node:url';
import { clientSettings } from '../../connection/config.js';
import { clientConnection } from '../../connection/connection.js';
import { UsageError } from '../../errors.js';
import type { ClientSettings } from '../../handshake/settings.js';
import { clientSessionState } from '../../sessions/session-state.js';
import type { SessionStore } from '../../sessions/store.js';
import type { NodeVerifierOptions } from '../x509/node-verifier.js';
import {
  commonOptions,
  credentialsOf,
  defaultHandshakeTimeout,
  trustContext,
  verifierOf,
  type SecureOptions,
} from './options.js';
import { TLSSocket } from './tls-socket.js';

type TransportOptions = Partial<TcpNetConnectOpts> & Partial<Pick<IpcNetConnectOpts, 'path'>>;

export interface ConnectOptions
  extends SecureOptions, TransportOptions, Pick<NodeVerifierOptions, 'checkServerIdentity'> {
  /** A connected or connecting stream to talk over, in place of a new TCP connection. */
  readonly socket?: Duplex;
  /** Name for server_name and for the certificate. Default: `host`, if it is no IP address. Empty: no server_name. */
  readonly servername?: string;
  /** What `getSession` of an earlier connection gave. One that is not fit is passed over. */
  readonly session?: Uint8Array;
  /** Where sessions are kept from one connection to the next, one for each `host:port`. */
  readonly sessionCache?: SessionStore;
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
  // A line of the key log is made in mid-handshake, when the socket is there.
  const settings = settingsOf(options, (line) => void socket.emit('keylog', Buffer.from(`${line}\n`)));
  const socket = new TLSSocket(openTransport(options), {
    begin: (connectionOptions) => clientConnection(settings, connectionOptions),
    connection: options.limits === undefined ? {} : { limits: options.limits },
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    handshakeTimeout: options.handshakeTimeout ?? defaultHandshakeTimeout,
  });
  return socket;
}

function settingsOf(options: ConnectOptions, keyLog: (line: string) => void): ClientSettings {
  const { servername, host: address = 'localhost', port = 0, path } = options;
  const host = servername === undefined || servername === '' ? address : servername;
  const serverName = servername === '' || isIP(host) !== 0 ? undefined : dnsName(host);
  const session = options.session && clientSessionState.decode(options.session);
  const verifier = verifierOf(options, options.checkServerIdentity);
  return clientSettings({
    ...commonOptions(options),
    ...(serverName !== undefined && { serverName }),
    peerIdentity: path ?? `${address}:${String(port)}`,
    ...(session !== undefined && { session }),
    ...(options.sessionCache !== undefined && { sessions: options.sessionCache }),
    ...(options.tickets !== undefined && { tickets: options.tickets }),
    credentials: credentialsOf(options),
    applicationContext: trustContext(options),
    // Without server_name the certificate still has to name whom we called.
    verifyCertificate: (question) => verifier({ ...question, serverName: question.serverName ?? host }),
    keyLog,
  });
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
  if (path !== undefined) return connectTransport({ ...options, path });
  if (port !== undefined) return connectTransport({ noDelay: true, ...options, port });
  throw new UsageError('invalid_option', '`connect` needs `port`, `path` or `socket`');
}
