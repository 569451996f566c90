/** Against OpenSSL by way of `node:tls`: every suite with every kind of certificate that fits it, both ways round. */
import { once } from 'node:events';
import * as tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { TLSSocket } from '../../../src/adapters/node/index.js';
import { opensslCipherName } from '../../../src/adapters/node/names.js';
import { tls12Suites, type Tls12CipherSuite } from '../../../src/key-schedule/suites.js';
import { ca, identity } from '../../support/certificates.js';
import { closeAll, listen, next, openClient, portOf, readAll, startServer, track } from './rig.js';

afterEach(closeAll);

const kinds = { ecdsa: ['p256', 'p384', 'ed25519'], rsa: ['rsa', 'rsa-pss'], psk: [] } as const;
const matrix = (Object.keys(tls12Suites) as Tls12CipherSuite[]).flatMap((suite) =>
  kinds[tls12Suites[suite].authentication].map((kind) => [suite, kind] as const),
);
const version = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

function startNodeServer(options: tls.TlsOptions, listener: (socket: tls.TLSSocket) => void): Promise<tls.Server> {
  return listen(
    tls.createServer({ ...version, ...options }, (socket) => {
      track(socket).on('error', () => undefined);
      listener(socket);
    }),
  );
}

async function openNodeClient(port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const socket = tls.connect({ ...version, port, host: '127.0.0.1', servername: 'localhost', ca, ...options });
  await once(track(socket), 'secureConnect');
  return socket;
}

describe('our client with a server of node:tls', () => {
  it.each(matrix)('%s, %s', async (suite, kind) => {
    const ciphers = opensslCipherName(suite);
    const server = await startNodeServer({ ...identity(kind), ciphers }, (socket) => socket.end('hello'));
    const client = await openClient(server);
    expect(client.getCipher()).toMatchObject({ standardName: suite, name: ciphers });
    expect((await readAll(client)).toString()).toBe('hello');
  });

  it('10 MB each way, ended by close_notify', async () => {
    const server = await startNodeServer(identity('p256'), (socket) => void socket.pipe(socket));
    const client = await openClient(server);
    const sent = Buffer.alloc(10_000_000, 'ten megabytes ');
    let length = 0;
    client.write(sent);
    for await (const chunk of client.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer;
      expect(bytes.equals(sent.subarray(length, length + bytes.length))).toBe(true);
      length += bytes.length;
      if (length === sent.length) break;
    }
    client.end();
    client.resume();
    await next(client, 'close');
    expect([client.readableEnded, client.errored]).toEqual([true, null]);
  });
});

describe('a client of node:tls with our server', () => {
  it.each(matrix)('%s, %s', async (suite, kind) => {
    const server = await startServer({ ...identity(kind), ciphers: [suite] }, (socket) => socket.end('hello'));
    const client = await openNodeClient(portOf(server));
    expect([client.authorized, client.getProtocol()]).toEqual([true, 'TLSv1.2']);
    expect(client.getCipher()).toMatchObject({ standardName: suite });
    expect((await readAll(client)).toString()).toBe('hello');
  });

  it('both tell the same of ALPN, keys and exporters', async () => {
    const server = await startServer({ ALPNProtocols: ['h2', 'http/1.1'], ecdhCurve: 'P-384:X25519' });
    const accepted = next(server, 'secureConnection') as Promise<[TLSSocket]>;
    const client = await openNodeClient(portOf(server), {
      ALPNProtocols: ['http/1.1', 'h2'],
      ecdhCurve: 'X25519:P-384:P-256',
    });
    const [socket] = await accepted;
    expect([client.alpnProtocol, socket.alpnProtocol]).toEqual(['h2', 'h2']);
    expect(client.getEphemeralKeyInfo()).toEqual({ type: 'ECDH', name: 'secp384r1', size: 384 });
    const context = Buffer.from('context');
    expect(socket.exportKeyingMaterial(20, 'EXPORTER-x', context)).toEqual(
      client.exportKeyingMaterial(20, 'EXPORTER-x', context),
    );
  });
});
