/** The key schedule of TLS 1.3 against the traces of RFC 8448, and against HKDF written down a second time. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ascii, concat, empty, fromHex, toHex } from '../../src/bytes.js';
import { hashLength, type HashAlgorithm } from '../../src/crypto/backend.js';
import {
  exportKeyingMaterial,
  resumptionPsk,
  Tls13KeySchedule,
  TrafficSecret,
  type PskKind,
} from '../../src/key-schedule/tls13.js';
import { Transcript } from '../../src/key-schedule/transcript.js';
import { truncateClientHello } from '../../src/messages/index.js';
import { misuse } from '../support/decoding.js';
import { traceOf, traces, type Trace } from '../support/rfc8448.js';
import { backends } from '../tickets/backends.js';

describe.each(backends)('RFC 8448 by the key schedule ($name)', (crypto) => {
  it.each(traces)(
    'R8446-7.1-2 R8446-7.1-3 R8446-7.1-4 R8446-7.1-5 every secret of: $title',
    ({ psk, sharedSecret, transcriptHash, secrets }) => {
      const schedule = new Tls13KeySchedule(crypto, 'sha256', psk);
      const found: Record<string, string> = {};
      if (psk !== undefined) {
        const clientHello = fromHex(transcriptHash.clientHello);
        found['clientEarlyTraffic'] = toHex(schedule.clientEarlyTraffic(clientHello).secret);
        found['earlyExporterMaster'] = toHex(schedule.earlyExporter(clientHello));
      }
      schedule.enterHandshake(sharedSecret.slice());
      const handshake = schedule.handshakeTraffic(fromHex(transcriptHash.serverHello));
      found['clientHandshakeTraffic'] = toHex(handshake.client.secret);
      found['serverHandshakeTraffic'] = toHex(handshake.server.secret);
      schedule.enterMaster();
      const application = schedule.applicationTraffic(fromHex(transcriptHash.serverFinished));
      found['clientApplicationTraffic'] = toHex(application.client.secret);
      found['serverApplicationTraffic'] = toHex(application.server.secret);
      found['exporterMaster'] = toHex(schedule.exporter(fromHex(transcriptHash.serverFinished)));
      const resumption = schedule.resumption(fromHex(transcriptHash.clientFinished));
      found['resumptionMaster'] = toHex(resumption);
      if ('resumptionPsk' in secrets)
        found['resumptionPsk'] = toHex(resumptionPsk(crypto, 'sha256', resumption, fromHex('0000')));
      // What is left is inside: the stages, and what leads from one to the next.
      const inside = ['early', 'handshake', 'master', 'derivedForHandshake', 'derivedForMaster', 'binderKey'];
      expect(found).toEqual(Object.fromEntries(Object.entries(secrets).filter(([name]) => !inside.includes(name))));
    },
  );

  it.each(traces)('R8446-7.3-1 every traffic key of: $title', ({ trafficKeys }) => {
    for (const { from, epoch, secret, key, iv } of trafficKeys) {
      const keys = new TrafficSecret(crypto, 'sha256', secret).keys('aes-128-gcm');
      expect({ from, epoch, key: toHex(keys.key), iv: toHex(keys.iv) }).toEqual({ from, epoch, key, iv });
    }
    expect(trafficKeys.length).toBeGreaterThanOrEqual(4);
  });

  it.each(traces)('R8446-4.4.4-1 R8446-4.4.4-2 both Finished of: $title', ({ finished, trafficKeys }) => {
    for (const from of ['client', 'server'] as const) {
      const { secret } = trafficKeys.find((keys) => keys.from === from && keys.epoch === 'handshake')!;
      const { transcriptHash, verifyData } = finished[from];
      expect(toHex(new TrafficSecret(crypto, 'sha256', secret).finished(fromHex(transcriptHash)))).toBe(verifyData);
    }
  });

  it.each(traces)('R8446-4.4.1-1 R8446-4.4.1-2 every transcript hash of: $title', (trace) => {
    const { serverHello, serverFinished, clientFinished } = trace.transcriptHash;
    const expected: Record<string, string> = { 'server ServerHello': serverHello };
    expected['server Finished'] = serverFinished;
    expected['client Finished'] = clientFinished;
    expect(transcriptHashes(trace, Object.keys(expected))).toEqual(expected);
  });

  function transcriptHashes({ messages }: Trace, wanted: readonly string[]): Record<string, string> {
    const transcript = new Transcript(crypto);
    const found: Record<string, string> = {};
    for (const { from, type, bytes } of messages) {
      if (type === 'HelloRetryRequest') transcript.startRetry('sha256');
      if (type === 'ServerHello') transcript.start('sha256');
      transcript.add(bytes);
      const name = `${from} ${type}`;
      if (wanted.includes(name)) found[name] = toHex(transcript.digest());
    }
    return found;
  }

  it('R8446-4.2.11.2-1 R8446-4.2.11.2-2 the binder of the resumed trace, over its truncated ClientHello', () => {
    const { psk, binder, messages } = traceOf('resumed-0rtt');
    const clientHello = messages[0]?.bytes ?? empty;
    const truncated = truncateClientHello(clientHello, [fromHex(binder.binder)]);
    expect(toHex(truncated)).toBe(binder.clientHelloPrefix);
    const hash = crypto.hash('sha256', truncated);
    expect(toHex(hash)).toBe(binder.transcriptHash);
    expect(toHex(new Tls13KeySchedule(crypto, 'sha256', psk).binder('resumption', hash))).toBe(binder.binder);
  });
});

/** HKDF-Expand-Label (RFC 8446 7.1) for outputs of one hash at most. */
function expandLabel(hash: HashAlgorithm, secret: Uint8Array, label: string, context: Uint8Array, length: number) {
  const text = ascii(`tls13 ${label}`);
  const info = concat(Uint8Array.of(0, length, text.length), text, Uint8Array.of(context.length), context);
  return hmac(hash, secret, concat(info, Uint8Array.of(1))).subarray(0, length);
}

function hmac(hash: HashAlgorithm, key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(hash, key).update(data).digest());
}

describe.each(backends)('what the traces do not have ($name)', (crypto) => {
  const cases = (['sha256', 'sha384'] as const).map((hash) => ({ hash, length: hashLength[hash] }));
  const psk = (length: number) => new Uint8Array(length).fill(0x5a);

  describe.each(cases)('$hash', ({ hash, length }) => {
    const none = crypto.hash(hash, empty);
    const zeros = new Uint8Array(length);
    const transcriptHash = crypto.hash(hash, ascii('messages'));

    it.each([
      ['resumption', 'res binder'],
      ['external', 'ext binder'],
      ['imported', 'imp binder'],
    ] as const)('R8446-4.2.11.2-2 R9258-5.2-1 the binder key of a PSK that is %s has the label "%s"', (kind, label) => {
      const early = hmac(hash, zeros, psk(length));
      const binderKey = expandLabel(hash, early, label, none, length);
      const finishedKey = expandLabel(hash, binderKey, 'finished', empty, length);
      const binder = new Tls13KeySchedule(crypto, hash, psk(length)).binder(kind, transcriptHash);
      expect(toHex(binder)).toBe(toHex(hmac(hash, finishedKey, transcriptHash)));
    });

    it('R8446-7.1-3 psk_ke has zeros for the shared secret, and a full handshake zeros for the PSK', () => {
      const derived = expandLabel(hash, hmac(hash, zeros, psk(length)), 'derived', none, length);
      const schedule = new Tls13KeySchedule(crypto, hash, psk(length));
      schedule.enterHandshake(undefined);
      expect(toHex(schedule.handshakeTraffic(transcriptHash).client.secret)).toBe(
        toHex(expandLabel(hash, hmac(hash, derived, zeros), 'c hs traffic', transcriptHash, length)),
      );
      const without = new Tls13KeySchedule(crypto, hash).clientEarlyTraffic(transcriptHash);
      expect(toHex(without.secret)).toBe(
        toHex(expandLabel(hash, hmac(hash, zeros, zeros), 'c e traffic', transcriptHash, length)),
      );
    });

    it('R8446-7.1-6 the shared secret is wiped once the handshake secret is made of it, a destroyed secret too', () => {
      const shared = new Uint8Array(32).fill(7);
      const schedule = new Tls13KeySchedule(crypto, hash);
      schedule.enterHandshake(shared);
      expect(toHex(shared)).toBe('00'.repeat(32));
      const { client } = schedule.handshakeTraffic(transcriptHash);
      expect(toHex(client.secret)).not.toBe(toHex(zeros));
      client.destroy();
      expect(toHex(client.secret)).toBe(toHex(zeros));
    });

    it('R8446-7.2-1 the next application secret has the label "traffic upd"', () => {
      const secret = psk(length);
      const { secret: next } = new TrafficSecret(crypto, hash, secret).next();
      expect(toHex(next)).toBe(toHex(expandLabel(hash, secret, 'traffic upd', empty, length)));
    });

    it('R8446-4.6.1-10 the PSK of a ticket is bound to its nonce', () => {
      const nonce = fromHex('0102');
      expect(toHex(resumptionPsk(crypto, hash, psk(length), nonce))).toBe(
        toHex(expandLabel(hash, psk(length), 'resumption', nonce, length)),
      );
    });

    it('RFC 8446 7.5: keying material by two steps; no context is the empty one', () => {
      const secret = expandLabel(hash, psk(length), 'EXPORTER-label', none, length);
      const context = ascii('context');
      const expected = expandLabel(hash, secret, 'exporter', crypto.hash(hash, context), 20);
      expect(toHex(exportKeyingMaterial(crypto, hash, psk(length), 'EXPORTER-label', context, 20))).toBe(
        toHex(expected),
      );
    });
  });

  it('R9846-D-1 main secrets keep the labels of the master secret', () => {
    const schedule = new Tls13KeySchedule(crypto, 'sha256');
    schedule.enterHandshake(undefined);
    schedule.enterMaster();
    const zeros = new Uint8Array(32);
    const none = crypto.hash('sha256', empty);
    const step = (secret: Uint8Array) => hmac('sha256', expandLabel('sha256', secret, 'derived', none, 32), zeros);
    const main = step(step(hmac('sha256', zeros, zeros)));
    expect(toHex(schedule.exporter(none))).toBe(toHex(expandLabel('sha256', main, 'exp master', none, 32)));
    expect(toHex(schedule.resumption(none))).toBe(toHex(expandLabel('sha256', main, 'res master', none, 32)));
  });

  it('an exporter label of 250 bytes is a mistake of the caller', () => {
    const exported = (length: number) => () =>
      exportKeyingMaterial(crypto, 'sha256', psk(32), 'x'.repeat(length), empty, 8).length;
    expect(exported(249)()).toBe(8);
    expect(misuse(exported(250))).toBe('invalid_option');
  });

  it('kinds of PSK have binders of their own', () => {
    const kinds: readonly PskKind[] = ['resumption', 'external', 'imported'];
    const schedule = new Tls13KeySchedule(crypto, 'sha256', psk(32));
    const binders = kinds.map((kind) => toHex(schedule.binder(kind, crypto.hash('sha256', empty))));
    expect(new Set(binders).size).toBe(3);
  });
});
