/** What stands on its own beside connections prints no secret either: keys, settings, backends, sockets, QUIC. */
import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createSecureContext, type Server, type TLSSocket } from '../../src/adapters/node/index.js';
import { credentialsFromPem } from '../../src/adapters/x509/credentials.js';
import { ascii } from '../../src/bytes.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { nodeKeyShare } from '../../src/crypto/node-key-share.js';
import { withPreparedKeyShares } from '../../src/crypto/prepared.js';
import { importPsk } from '../../src/key-schedule/psk-importer.js';
import { quicInitialSecrets, quicNextSecret, quicPacketKeys } from '../../src/key-schedule/quic.js';
import { Tls12Secrets } from '../../src/key-schedule/tls12.js';
import { Tls13KeySchedule } from '../../src/key-schedule/tls13.js';
import { tls13Protection } from '../../src/record/protection-tls13.js';
import { tls12Protection } from '../../src/record/protection.js';
import { RecordLayer } from '../../src/record/record-layer.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { generateTicketKey } from '../../src/tickets/ticket-key.js';
import { closeAll, next, openPair } from '../adapters/node/rig.js';
import { identity, pem } from '../support/certificates.js';
import {
  drain,
  epoch,
  makePair,
  move,
  settle,
  testClient,
  testServer,
  tls13Client,
  tls13Server,
} from '../support/connections.js';
import { failingCrypto } from '../support/failing-crypto.js';
import { tls13Flows } from '../support/flows-tls13.js';
import { makeQuicWorld, pumpQuic } from '../support/quic.js';
import { flows } from '../support/replay.js';
import { backendNames, seededCrypto } from '../support/seeded.js';
import { makeRecorder, type Recorder } from './recorder.js';
import { SecretSearch } from './secret-search.js';

afterEach(closeAll);

const now = () => epoch;

function searchFor(secrets: Readonly<Record<string, Uint8Array>>): SecretSearch {
  const search = new SecretSearch();
  for (const [name, secret] of Object.entries(secrets)) search.add(name, secret);
  return search;
}

function recordedBy(recorder: Recorder): SecretSearch {
  const search = new SecretSearch();
  for (const { name, value } of recorder.secrets) search.add(name, value);
  return search;
}

describe.each(backendNames)('on %s', (backend) => {
  const crypto = seededCrypto(backend, 'printing');
  const secret = crypto.randomBytes(32);

  it.each<readonly [string, (crypto: CryptoBackend, secret: Uint8Array) => unknown]>([
    ['HMAC keys', ({ hmac }, key) => [hmac('sha256', key), hmac('sha384', key)]],
    ['CBC keys', ({ cbc }, key) => [cbc(key), used(cbc(key))]],
    ['AEAD keys', ({ aead }, key) => [aead('chacha20-poly1305', key), aead('aes-256-gcm', key)]],
    ['key shares', (_, key) => (backend === 'noble' ? nobleKeyShare : nodeKeyShare)('x25519', key.slice())],
    ['TLS 1.3 schedules', (crypto, key) => new Tls13KeySchedule(crypto, 'sha256', key)],
    ['TLS 1.2 secrets', (crypto, key) => new Tls12Secrets(crypto, 'sha256', key)],
    [
      'record protection',
      (crypto, key) => {
        const keys = { key, iv: crypto.hash('sha256', key).slice(0, 12) };
        const records = new RecordLayer();
        records.changeWriteProtection(tls13Protection(crypto, 'chacha20-poly1305', keys));
        records.changeReadProtection(tls12Protection(crypto, 'chacha20-poly1305', keys));
        return records;
      },
    ],
    [
      'imported PSKs',
      (crypto, key) =>
        importPsk(crypto, { externalIdentity: ascii('x'), key, context: ascii('') }, ['sha256', 'sha384']),
    ],
    ['the next QUIC secret', (crypto, key) => quicNextSecret(crypto, 'TLS_AES_128_GCM_SHA256', key)],
    ['QUIC packet keys', (crypto, key) => quicPacketKeys(crypto, 'TLS_AES_256_GCM_SHA384', crypto.hash('sha384', key))],
    ['QUIC initial secrets', (crypto, key) => quicInitialSecrets(crypto, key)],
  ])('%s print nothing', (_, make) => {
    const recorder = makeRecorder();
    // The backend's own key objects are printed, and a second pass tells what was derived.
    const objects = make(crypto, secret);
    const again = make(recorder.wrap(crypto), secret);
    const search = recordedBy(recorder);
    search.add('the secret', secret);
    search.add('the IV', crypto.hash('sha256', secret).slice(0, 12));
    expect(search.findPrinted([objects, again])).toBe(undefined);
  });

  it('traffic secrets print nothing', () => {
    const recorder = makeRecorder();
    const schedule = new Tls13KeySchedule(recorder.wrap(crypto), 'sha256', secret);
    const early = schedule.clientEarlyTraffic(secret);
    schedule.enterHandshake(secret.slice());
    const traffic = [early, early.next(), schedule.handshakeTraffic(secret)];
    expect(recorder.secrets.length).toBeGreaterThan(5);
    expect(recordedBy(recorder).findPrinted(traffic)).toBe(undefined);
  });

  it('ticket keys, rings and sealers print nothing', () => {
    const key = generateTicketKey(crypto, { sealsUntil: Infinity });
    const search = searchFor({ aesKey: key.aesKey.slice(), hmacKey: key.hmacKey.slice() });
    const ring = new KeyRing({ crypto, now, keys: [key] });
    const sealer = new RingSealer({ keys: ring });
    const opened = sealer.open(sealer.seal(ascii('state')));
    expect(search.findPrinted([key, { ...key }, ring, sealer, ring.sealingKey(), ring.status(), opened])).toBe(
      undefined,
    );
    ring.destroy();
    expect(search.findPrinted([ring, sealer])).toBe(undefined);
  });

  it('signers and credentials print nothing', () => {
    const scalar = crypto.hash('sha256', secret);
    const { publicKey: point } = nobleKeyShare('secp256r1', scalar.slice());
    const signer = crypto.signer({ kind: 'ecdsa', curve: 'secp256r1', scalar, point });
    const data = ascii('data');
    const signature = signer.sign({ kind: 'ecdsa', hash: 'sha256' }, data);
    expect(searchFor({ scalar }).findPrinted([signer, { certificates: [data], signer }, signature])).toBe(undefined);
  });

  it('settings print nothing', () => {
    const recorder = makeRecorder();
    const { key, other } = { key: crypto.hash('sha256', ascii('key')), other: crypto.hash('sha256', ascii('other')) };
    const externalPsks = [
      { identity: ascii('imported'), key, role: 'client' },
      { identity: ascii('verbatim'), key: other, role: 'server', withoutImporter: true },
    ] as const;
    const changes = { crypto: recorder.wrap(crypto), externalPsks };
    const settings = [tls13Client(backend, 'settings', changes), tls13Server(backend, 'settings', changes)];
    const search = recordedBy(recorder);
    search.add('imported key', key);
    search.add('verbatim key', other);
    expect(search.findPrinted(settings)).toBe(undefined);
  });

  it('a stock of key shares prints nothing', async () => {
    const secrets: Uint8Array[] = [];
    const base: CryptoBackend = {
      ...crypto,
      generateKeyShare: () => {
        const secretKey = crypto.randomBytes(32);
        secrets.push(secretKey.slice());
        return (backend === 'noble' ? nobleKeyShare : nodeKeyShare)('x25519', secretKey);
      },
    };
    const stocked = withPreparedKeyShares(base);
    await stocked.prepare();
    expect(secrets).toHaveLength(4);
    const search = searchFor(Object.fromEntries(secrets.map((secretKey, i) => [`share ${i}`, secretKey])));
    expect(search.findPrinted([stocked, stocked.generateKeyShare('x25519')])).toBe(undefined);
  });
});

describe('connections', () => {
  const inTheMiddle = [...Object.values(flows), ...Object.values(tls13Flows)].map((flow) => [flow.name, flow] as const);

  it.each(inTheMiddle)('%s: print nothing at any step', (_, flow) => {
    const recorder = makeRecorder();
    const [client, server] = [flow.client(), flow.server()];
    const pair = makePair(
      { ...client, crypto: recorder.wrap(client.crypto) },
      { ...server, crypto: recorder.wrap(server.crypto) },
    );
    for (let turn = 0; turn < 20; turn++) {
      const { connection: ofClient, events: toClient } = pair.client;
      const { connection: ofServer, events: toServer } = pair.server;
      expect(recordedBy(recorder).findPrinted([ofClient, ofServer, toClient, toServer]), `step ${turn}`).toBe(
        undefined,
      );
      if (!move(pair, turn % 2 === 0 ? 'client' : 'server') && turn > 0) break;
    }
    expect(recordedBy(recorder).size).toBeGreaterThan(50);
  });

  it.each(['client', 'server'] as const)('errors of a backend that fails say nothing: the %s', (side) => {
    for (const flow of [flows.mutual, tls13Flows.psk]) {
      for (let failsAt = 1; failsAt < 400; failsAt += 3) {
        const recorder = makeRecorder();
        const settings = { client: flow.client(), server: flow.server() };
        const failing = failingCrypto(recorder.wrap(settings[side].crypto), failsAt, false);
        const changed = { crypto: failing.crypto };
        const pair = makePair(
          { ...settings.client, ...(side === 'client' && changed) },
          { ...settings.server, ...(side === 'server' && changed) },
        );
        while (move(pair, 'client') || move(pair, 'server'));
        drain(pair[side]);
        const closes = pair[side].events.filter(({ type }) => type === 'close');
        expect(recordedBy(recorder).findPrinted(closes), `call ${failsAt}`).toBe(undefined);
        if (failing.calls() < failsAt) break;
      }
    }
  });
});

it('QUIC handshakes print nothing, nor do the events with secrets for the stack', () => {
  const recorder = makeRecorder();
  const world = makeQuicWorld();
  const crypto = (seed: string) => ({ crypto: recorder.wrap(seededCrypto('node', `quic printed ${seed}`)) });
  const full = world.pair(crypto('a'), crypto('b'));
  const before = [full.client.quic, full.server.quic];
  pumpQuic(full);
  const session = world.session(crypto('c'), crypto('d'));
  const resumed = pumpQuic(world.pair({ ...crypto('e'), session, earlyData: true }, crypto('f')));
  const search = recordedBy(recorder);
  expect(search.size).toBeGreaterThan(50);
  for (const { client, server } of [full, resumed]) {
    expect(client.events.map(({ type }) => type)).toContain('secret');
    expect(search.findPrinted([client.quic, server.quic, client.events, server.events, before, session])).toBe(
      undefined,
    );
    client.quic.destroy();
    server.quic.destroy();
    expect(search.findPrinted([client.quic, server.quic])).toBe(undefined);
  }
});

describe('sockets', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s print nothing, nor do their servers, sessions and contexts',
    async (version) => {
      const recorder = makeRecorder();
      const versions = { minVersion: version, maxVersion: version } as const;
      const crypto = (seed: string) => recorder.wrap(seededCrypto('node', `socket ${seed} ${version}`));
      const own = identity('p256');
      const { server, client, peer } = await openPair(
        { ...versions, ...own, crypto: crypto('server') },
        { ...versions, ...identity('client-p256'), crypto: crypto('client') },
      );
      const sessions: unknown[] = [];
      client.on('session', (session) => sessions.push(session));
      const context = createSecureContext(own);
      const all = (): unknown[] => [server, client, peer, context, credentialsFromPem(own)];
      client.write('hello');
      await next(peer, 'data');
      if (client.getSession() === undefined) await next(client, 'session');
      const open = all();
      const check = (objects: unknown[]) => {
        const search = recordedBy(recorder);
        for (const name of ['p256', 'client-p256']) {
          const { d }: JsonWebKey = createPrivateKey(pem(name).key).export({ format: 'jwk' });
          search.add(`private key ${name}`, Buffer.from(d ?? '', 'base64url'));
          search.add(`private key ${name} in PEM`, ascii(pem(name).key.split('\n')[1] ?? ''));
        }
        expect(search.size).toBeGreaterThan(50);
        for (const object of objects) expect(search.findPrinted(object)).toBe(undefined);
        // A Buffer that is turned into text is a session that is kept; printed, it is not.
        const kept = [...sessions, client.getSession()];
        for (const showHidden of [false, true])
          expect(search.find(inspect(kept, { depth: Infinity, maxArrayLength: Infinity, showHidden }))).toBe(undefined);
        expect(search.find(JSON.stringify(kept))).not.toBe(undefined);
      };
      check(open);
      client.end();
      peer.end();
      await next(client, 'close');
      check(all());
      await stop(server, client, peer);
    },
  );
});

async function stop(server: Server, ...sockets: readonly TLSSocket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}

/** A key that has worked: what it keeps for the next time is there. */
function used<K extends ReturnType<CryptoBackend['cbc']>>(key: K): K {
  key.decrypt(new Uint8Array(16), key.encrypt(new Uint8Array(16), new Uint8Array(32)));
  return key;
}

it('the two ends of a connection over promises print nothing', async () => {
  const recorder = makeRecorder();
  const crypto = (seed: string) => ({ crypto: recorder.wrap(seededCrypto('noble', `promises ${seed}`)) });
  const pair = makePair(testClient('noble', 'p', crypto('a')), testServer('noble', 'p', crypto('b')), {
    driver: 'promises',
  });
  move(pair, 'client');
  await settle(pair);
  expect(recordedBy(recorder).findPrinted(pair)).toBe(undefined);
});
