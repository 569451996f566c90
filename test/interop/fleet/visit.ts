/**
 * A client of ours that offers a given session to any server of a fleet. It is the core over a socket, and not `connect`: a session that
 * was minted, or that another client made, is of no configuration that `connect` would know as its own.
 */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import { nodeCrypto, nodeVerifier, TLSSocket } from '../../../src/adapters/node/index.js';
import { clientSettings } from '../../../src/connection/config.js';
import { clientConnection } from '../../../src/connection/connection.js';
import type { HandshakeEvent } from '../../../src/connection/events.js';
import type { ClientOptions } from '../../../src/connection/options.js';
import type { ClientSettings } from '../../../src/handshake/settings.js';
import type { HandshakeVersion } from '../../../src/messages/handshake.js';
import { clientSessionState } from '../../../src/sessions/session-state.js';
import type { Session } from '../../../src/sessions/session.js';
import { converse } from '../../support/conversation.js';
import { authority, identities } from '../../support/identities.js';
import type { FleetServer } from './rig.js';

export const serverName = 'example.test';

/** One connection as both ends saw it. */
export interface Visit {
  readonly handshake: HandshakeEvent;
  /** What the server said of it. */
  readonly theirs: Words;
  /** New ones, in order. */
  readonly sessions: readonly Session[];
}

/** `protocol` and `reused` are said by all, others by some. */
type Words = Readonly<
  Record<'protocol' | 'reused', string> & Partial<Record<'reason' | 'client' | 'verified', string>>
>;

const verifyCertificate = nodeVerifier({ ca: authority.cert });

export interface VisitOptions extends Partial<ClientOptions> {
  /** Whether the request goes out as early data, and again where that is not read. */
  readonly earlyRequest?: boolean;
}

export async function visit(
  { port }: Pick<FleetServer, 'port'>,
  version: HandshakeVersion,
  { earlyRequest = false, ...options }: VisitOptions = {},
): Promise<Visit> {
  const settings = settingsOf(version, { ...options, earlyData: earlyRequest });
  const request = Buffer.from(`GET / HTTP/1.0\r\nHost: ${serverName}\r\n\r\n`);
  const socket = new TLSSocket(connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true }), {
    begin: (connectionOptions) => clientConnection(settings, connectionOptions),
    connection: {},
    allowHalfOpen: false,
    rejectUnauthorized: true,
    handshakeTimeout: 10_000,
    ...(earlyRequest && { earlyData: request }),
  });
  if (earlyRequest) socket.once('secureConnect', () => socket.earlyDataAccepted || socket.write(request));
  const { received, sessions } = await converse(socket, earlyRequest ? '' : request);
  const { handshake } = socket;
  if (handshake === undefined) throw new Error('the server ended the connection before the handshake');
  const theirs = JSON.parse(/\{.*\}/.exec(received.toString())?.[0] ?? 'null') as Words | null;
  if (theirs === null) throw new Error(`the server did not say how it was:\n${received.toString()}`);
  return { handshake, theirs, sessions: sessions.map(sessionOf) };
}

/** A session that no handshake of this client made, as if one had with the server of `cert`. */
export function adopted<S extends Session>(session: S, { cert } = identities.ecdsa): S {
  const { applicationContext } = settingsOf(session.version, {}).binding;
  return { ...session, applicationContext, peerCertificates: [new X509Certificate(cert).raw] };
}

function settingsOf(version: HandshakeVersion, options: Partial<ClientOptions>): ClientSettings {
  return clientSettings({
    now: Date.now,
    crypto: nodeCrypto,
    verifyCertificate,
    serverName,
    minVersion: version,
    maxVersion: version,
    ...options,
  });
}

function sessionOf(buffer: Buffer): Session {
  const session = clientSessionState.decode(buffer);
  if (session === undefined) throw new Error('a session of our own does not decode');
  return session;
}
