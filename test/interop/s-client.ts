/** Connections of `openssl s_client` with servers of ours, as both sides see them. */
import { expect } from 'vitest';
import { TLSSocket, type ServerOptions } from '../../src/adapters/node/index.js';
import type { AlertDescription } from '../../src/alert.js';
import { EchoServer } from '../support/echo-server.js';
import { authority, type Identity } from '../support/identities.js';
import { Openssl, opensslView, type OpensslRun } from '../support/openssl.js';
import type { Peer } from '../support/peers.js';

export interface Both {
  readonly openssl: OpensslRun;
  readonly ours: TLSSocket | Error;
}

/** One openssl and the servers that it talks to. */
export class SClient {
  readonly openssl: Openssl;
  readonly #servers: EchoServer[] = [];

  private constructor(openssl: Openssl) {
    this.openssl = openssl;
  }

  static async start(peer: Peer): Promise<SClient> {
    return new SClient(await Openssl.start(peer));
  }

  /** TLS 1.2 only, unless `options` say otherwise. */
  async serve(own: readonly Identity[], options: ServerOptions = {}): Promise<EchoServer> {
    const pems = { cert: own.map(({ cert }) => cert), key: own.map(({ key }) => key) };
    const server = await EchoServer.start({ ...pems, ca: authority.cert, maxVersion: 'TLSv1.2', ...options });
    this.#servers.push(server);
    return server;
  }

  async talk(to: EchoServer, ...parameters: string[]): Promise<Both> {
    const [openssl, ours] = await Promise.all([this.openssl.client(to.port, 'hello\n', ...parameters), to.next()]);
    return { openssl, ours };
  }

  async stop(): Promise<void> {
    await Promise.all([this.openssl.stop(), ...this.#servers.map((server) => server.stop())]);
  }
}

export function socketOf({ ours }: Pick<Both, 'ours'>): TLSSocket {
  if (ours instanceof TLSSocket) return ours;
  throw ours;
}

export function expectFull(both: Both, reason = 'not_offered'): void {
  expect(socketOf(both).handshake).toMatchObject({ mode: 'full', resumed: false, reason });
  expectWellEnded(both);
  const view = opensslView(both.openssl.output);
  expect(view).toMatchObject({ reused: false, extendedMasterSecret: true, secureRenegotiation: true });
}

/** Both sides say so, and s_client means the session of `first`. */
export function expectResumed(both: Both, mode: 'session_id' | 'ticket', first: Both): void {
  expect(socketOf(both).handshake).toMatchObject({ mode, resumed: true, reason: undefined });
  expectWellEnded(both);
  const view = opensslView(both.openssl.output);
  expect(view).toMatchObject({ reused: true, extendedMasterSecret: true });
  expect(view.masterSecret).toBe(opensslView(first.openssl.output).masterSecret);
}

/** We say why, and s_client was told. */
export function expectRefused({ openssl, ours }: Both, alert: AlertDescription): void {
  expect(ours).toMatchObject({ name: 'AlertError', alert });
  expect(openssl.errors).toContain(`alert ${alert.replaceAll('_', ' ')}:`);
  expect(openssl.status).toBe(1);
}

/** The line came back, and s_client was content. */
function expectWellEnded({ openssl }: Both): void {
  expect(openssl.output).toMatch(/^hello\nclosed$/m);
  expect(openssl.status).toBe(0);
}
