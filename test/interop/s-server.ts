/** Connections of our client with `openssl s_server -www`, as both sides see them. */
import { expect } from 'vitest';
import { connect, type ConnectOptions, type TLSSocket } from '../../src/adapters/node/index.js';
import { toHex } from '../../src/bytes.js';
import { clientSessionState, type Tls12Session } from '../../src/sessions/index.js';
import { converse, type Conversation } from '../support/conversation.js';
import { authority } from '../support/identities.js';
import { opensslView, type OpensslView } from '../support/openssl.js';
import type { ServerProcess } from '../support/peers.js';
import { tls12Session } from '../support/sessions.js';

export interface Both extends Conversation<TLSSocket> {
  readonly openssl: OpensslView;
}

/** TLS 1.2 only, unless `options` say otherwise. */
export function open({ port }: ServerProcess, options: ConnectOptions = {}): TLSSocket {
  const shared = { host: '127.0.0.1', servername: 'example.test', ca: authority.cert, maxVersion: 'TLSv1.2' } as const;
  return connect({ ...shared, port, ...options });
}

export function talk(
  server: ServerProcess,
  options?: ConnectOptions,
  words?: string | Uint8Array,
): Promise<Conversation<TLSSocket>> {
  return converse(open(server, options), words);
}

/** Gets the status page of `s_server -www`. */
export async function visit(server: ServerProcess, options?: ConnectOptions): Promise<Both> {
  const conversation = await talk(server, options);
  return { ...conversation, openssl: opensslView(conversation.received.toString()) };
}

export function expectFull(both: Both, reason = 'not_offered'): void {
  expect(both.socket.handshake).toMatchObject({ mode: 'full', resumed: false, reason });
  expect(both.socket.isSessionReused()).toBe(false);
  expect(both.sessions).toHaveLength(1);
  expect(both.openssl).toMatchObject({ reused: false, extendedMasterSecret: true, secureRenegotiation: true });
  expect(both.openssl.masterSecret).toBe(toHex(sessionOf(both).masterSecret));
}

/** Both sides say so, and mean the session of `first`. */
export function expectResumed(both: Both, mode: 'session_id' | 'ticket', first: Both): void {
  expect(both.socket.handshake).toMatchObject({ mode, resumed: true, reason: undefined });
  expect(both.socket.handshake?.peerCertificates).toEqual(first.socket.handshake?.peerCertificates);
  expect(both.socket.isSessionReused()).toBe(true);
  expect(both.openssl).toMatchObject({ reused: true, extendedMasterSecret: true });
  expect(both.openssl.masterSecret).toBe(first.openssl.masterSecret);
}

export function sessionOf({ sessions: [session] }: Both): Tls12Session {
  return tls12Session(session && clientSessionState.decode(session));
}
