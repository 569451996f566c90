/**
 * What a handshake asks of cryptography, counted exactly: both ends of the handshakes that `npm run bench` times. One HMAC
 * too many fails here, on any machine; whoever finds a way to need one less writes the smaller number down.
 */
import { describe, expect, it } from 'vitest';
import { tls13HandshakeFloor, type Tls13Kind } from '../../bench/floor-tls13.js';
import { handshakeFloor } from '../../bench/floor.js';
import { connectInMemory, settingsFor, type PairSettings } from '../../bench/handshakes.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { Tls12CipherSuite } from '../../src/index.js';
import { countingCrypto, type OperationCounts } from '../support/counting-crypto.js';

const aesGcm = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const chaCha = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256';

/** Of the second handshake, when all that is set up once is there. */
function count(backend: typeof nobleCrypto, mode: Tls12Mode, suite: Tls12CipherSuite = aesGcm): OperationCounts {
  const { crypto, take } = countingCrypto(backend);
  const settings: PairSettings = settingsFor(crypto, suite, mode);
  expect(connectInMemory(settings).server.handshake?.mode).toBe(mode);
  take();
  const { client, server } = connectInMemory(settings);
  expect([client.handshake?.mode, server.handshake?.mode]).toEqual([mode, mode]);
  return take();
}

/** RFC 5246 5, 6.3, 7.4.9 at each end: 4 HMACs of a key block of 40 bytes and 2 of each Finished, all under one key. */
const abbreviated = {
  hash: 0,
  runningHash: 2,
  snapshot: 4,
  hmacKey: 2,
  hmac: 16,
  aeadKey: 4,
  seal: 2,
  open: 2,
  cbcKey: 0,
  cbc: 0,
  keyShare: 0,
  agree: 0,
  sign: 0,
  verify: 0,
};

type Tls12Mode = Parameters<typeof handshakeFloor>[2];

/** Of what the benchmark puts beside a handshake as "the cryptography alone". */
function countFloor(backend: typeof nobleCrypto, mode: Tls12Mode, suite: Tls12CipherSuite = aesGcm): OperationCounts {
  const { crypto, take } = countingCrypto(backend);
  const run = handshakeFloor(crypto, suite, mode);
  take();
  run();
  return take();
}

for (const backend of [nobleCrypto, nodeCrypto])
  describe(`operations of both ends, ${backend.name}`, () => {
    it('session ID: 16 HMACs under 2 keys, 4 transcript hashes, and two randoms', () => {
      expect(count(backend, 'session_id')).toEqual({ ...abbreviated, randomBytes: 32 + 32 });
    });

    it('ticket: one HMAC and one CBC more to open it, and the session ID made up beside it', () => {
      expect(count(backend, 'ticket')).toEqual({ ...abbreviated, hmac: 16 + 1, cbc: 1, randomBytes: 32 + 32 + 32 });
    });

    it('full: one signature, one agreement at each end, and one ticket sealed', () => {
      expect(count(backend, 'full')).toEqual({
        ...abbreviated,
        // The session hash of RFC 7627 is the hash that the client's Finished covers.
        // The premaster secret, for 4 HMACs of a master secret of 48 bytes.
        hmacKey: 2 + 2,
        hmac: 16 + 2 * 4 + 1,
        cbc: 1,
        keyShare: 2,
        agree: 2,
        sign: 1,
        verify: 1,
        randomBytes: 32 + 32 + 16,
      });
    });

    it('ChaCha20-Poly1305: a key block of 88 bytes takes two HMACs more at each end', () => {
      expect(count(backend, 'session_id', chaCha)).toEqual({ ...abbreviated, hmac: 16 + 2 * 2, randomBytes: 32 + 32 });
    });

    it('the floor of the benchmark is these operations', () => {
      for (const mode of ['full', 'session_id', 'ticket'] as const)
        for (const suite of [aesGcm, chaCha] as const)
          expect(countFloor(backend, mode, suite), `${mode}, ${suite}`).toEqual(count(backend, mode, suite));
    });
  });

const tls13Suite = 'TLS_AES_128_GCM_SHA256';

function countTls13(backend: typeof nobleCrypto, kind: Tls13Kind): OperationCounts {
  const { crypto, take } = countingCrypto(backend);
  const settings = settingsFor(crypto, tls13Suite, kind);
  connectInMemory(settings);
  take();
  const { server } = connectInMemory(settings);
  expect(server.handshake?.mode).toBe(kind === '0-RTT' ? 'psk_dhe_ke' : kind);
  expect(server.handshake?.earlyData).toBe(kind === '0-RTT' ? 'accepted' : 'none');
  return take();
}

function countTls13Floor(backend: typeof nobleCrypto, kind: Tls13Kind): OperationCounts {
  const { crypto, take } = countingCrypto(backend);
  const run = tls13HandshakeFloor(crypto, tls13Suite, kind);
  take();
  run();
  return take();
}

/** What may come on top of RFC 8446 7.1 at its barest: exporter secrets, and constants that are computed anew. */
const onTop: Record<Tls13Kind, Partial<OperationCounts>> = {
  full: { snapshot: 2, hmacKey: 8, hmac: 6 },
  psk_dhe_ke: { snapshot: 2, hmacKey: 2, hmac: 2 },
  psk_ke: { snapshot: 2, hmacKey: 2, hmac: 2 },
  '0-RTT': { hash: 1, snapshot: 1, hmacKey: 2, hmac: 4 },
};

for (const backend of [nobleCrypto, nodeCrypto])
  describe(`operations of both ends in TLS 1.3, ${backend.name}`, () => {
    it('the floor of psk_dhe_ke: 26 HMACs under 14 keys at each end, two more for the tickets', () => {
      expect(countTls13Floor(backend, 'psk_dhe_ke')).toMatchObject({
        hmac: 2 * 26 + 2,
        hmacKey: 2 * 14,
        seal: 3,
        open: 3,
        cbc: 2,
        keyShare: 2,
        agree: 2,
        sign: 0,
        verify: 0,
      });
      expect(countTls13Floor(backend, 'full')).toMatchObject({ sign: 1, verify: 1 });
    });

    it.each(Object.keys(onTop) as Tls13Kind[])('%s: no more than the floor and what is named', (kind) => {
      const floor: Record<string, number> = { ...countTls13Floor(backend, kind) };
      const allowed: Record<string, number> = { ...onTop[kind] };
      const excess = Object.entries(countTls13(backend, kind)).filter(
        ([operation, count]) => count > (floor[operation] ?? 0) + (allowed[operation] ?? 0),
      );
      expect(excess).toEqual([]);
    });
  });
