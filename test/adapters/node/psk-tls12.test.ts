/** `pskCallback` in TLS 1.2 (RFC 5489), with ourselves and with `node:tls`, and records of a size that is chosen. */
import * as tls from 'node:tls';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { TLSSocket } from '../../../src/adapters/node/index.js';
import {
  closeAll,
  errorOf,
  listen,
  next,
  openClient,
  openPair,
  portOf,
  readAll,
  startClient,
  startServer,
  track,
} from './rig.js';

afterEach(closeAll);

const psk = Buffer.alloc(32, 7);
const ciphers = 'ECDHE-PSK-CHACHA20-POLY1305';
const version = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const noCertificate = { credentials: [] };

describe('pskCallback in TLS 1.2', () => {
  it('on both sides: the hint goes to the client, the identity to the server with its socket', async () => {
    const asked: unknown[] = [];
    const server = await startServer({
      ...noCertificate,
      ciphers,
      pskIdentityHint: 'a h\u00efnt',
      pskCallback: (socket, identity) => {
        asked.push([socket, identity]);
        return identity === 'device' ? psk : null;
      },
    });
    const accepted = next(server, 'secureConnection') as Promise<[TLSSocket]>;
    const client = await openClient(server, {
      ...version,
      ciphers,
      pskCallback: (hint) => {
        asked.push(hint);
        return { psk, identity: 'device' };
      },
    });
    const [peer] = await accepted;
    expect(asked).toEqual(['a h\u00efnt', [peer, 'device']]);
    for (const socket of [client, peer]) {
      expect(socket.getCipher()).toMatchObject({ name: ciphers, version: 'TLSv1.2' });
      expect(Buffer.from(socket.handshake!.externalPskIdentity!).toString()).toBe('device');
      expect(socket.getPeerCertificate()).toEqual({});
    }
    const none = await errorOf(startClient(server, { ...version, ciphers, pskCallback: () => null }));
    expect(none).toMatchObject({ alert: 'handshake_failure' });
    const stranger = { psk, identity: 'stranger' };
    expect(await errorOf(startClient(server, { ...version, ciphers, pskCallback: () => stranger }))).toMatchObject({
      code: 'peer_alert',
      alert: 'bad_record_mac',
    });
  });

  it('needs a suite that is named, as in node:tls', async () => {
    const server = await startServer({ ciphers: `${ciphers}:ECDHE-ECDSA-AES128-GCM-SHA256`, pskCallback: () => psk });
    const client = await openClient(server, { ...version, pskCallback: () => ({ psk, identity: 'device' }) });
    expect(client.handshake).toMatchObject({ cipherSuite: expect.stringContaining('ECDSA') as string });
    expect(client.handshake?.externalPskIdentity).toBeUndefined();
  });

  it('with a server of node:tls', async () => {
    const hints: (string | null)[] = [];
    const server = await listen(
      tls.createServer(
        {
          ...version,
          ciphers,
          pskIdentityHint: 'hint',
          pskCallback: (_, identity) => (identity === 'device' ? psk : null),
        },
        (socket) => track(socket).end('hello'),
      ),
    );
    const client = await openClient(server, {
      ciphers,
      pskCallback: (hint) => {
        hints.push(hint);
        return { psk, identity: 'device' };
      },
    });
    expect((await readAll(client)).toString()).toBe('hello');
    // TLS 1.3 is offered first, without a hint.
    expect(hints).toEqual([null, 'hint']);
  });

  it('with a client of node:tls', async () => {
    const server = await startServer(
      { ...noCertificate, ciphers, pskCallback: (_, identity) => (identity === 'device' ? psk : null) },
      (socket) => socket.end('hello'),
    );
    const hints: unknown[] = [];
    const client = track(
      tls.connect({
        ...version,
        port: portOf(server),
        host: '127.0.0.1',
        ciphers,
        checkServerIdentity: () => undefined,
        pskCallback: (hint) => {
          hints.push(hint);
          return { psk, identity: 'device' };
        },
      }),
    );
    await once(client, 'secureConnect');
    expect((await readAll(client)).toString()).toBe('hello');
    expect(hints).toEqual([null]);
  });

  it('keys below 16 bytes need allowShortTls12Psks', async () => {
    const short = Buffer.from('12345');
    const options = { ...version, ciphers, pskCallback: () => ({ psk: short, identity: 'device' }) };
    const server = await startServer({
      ...noCertificate,
      ciphers,
      pskCallback: () => short,
      allowShortTls12Psks: true,
    });
    expect(await errorOf(startClient(server, options))).toMatchObject({ code: 'invalid_key' });
    const client = await openClient(server, { ...options, allowShortTls12Psks: true });
    expect(client.handshake).toMatchObject({ mode: 'full', peerCertificates: [] });
  });
});

it('setMaxSendFragment says whether it can, as in node:tls', async () => {
  const { client, peer } = await openPair();
  expect([511, 16_385, 600.5, Number.NaN].map((size) => client.setMaxSendFragment(size))).toEqual(Array(4).fill(false));
  expect([client.setMaxSendFragment(512), client.setMaxSendFragment()]).toEqual([true, true]);
  client.setMaxSendFragment(600);
  const chunks: number[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk.length));
  client.end(Buffer.alloc(1300));
  await once(peer, 'end');
  expect(chunks).toEqual([600, 600, 100]);
});
