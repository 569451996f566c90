/** Protection of TLS 1.3 records: the records of RFC 8448 byte for byte, then what they do not have. */
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, toHex } from '../../src/bytes.js';
import { aeadKeyLength, type CryptoBackend } from '../../src/crypto/backend.js';
import { TrafficSecret } from '../../src/key-schedule/tls13.js';
import { contentTypes } from '../../src/parameters.js';
import { Deframer, maxPlaintextLength, recordHeaderLength, type RawRecord } from '../../src/record/deframer.js';
import { maxTls13CiphertextLength, tls13Protection } from '../../src/record/protection-tls13.js';
import type { RecordProtection } from '../../src/record/protection.js';
import { RecordLayer, type EpochKeys } from '../../src/record/record-layer.js';
import { alertOf } from '../support/alerts.js';
import { traces } from '../support/rfc8448.js';
import { backends } from '../tickets/backends.js';

const { application_data: applicationData, handshake, alert, change_cipher_spec: changeCipherSpec } = contentTypes;
const sides = ['client', 'server'] as const;
const epochs = ['early', 'handshake', 'application'] as const;

function seal(protection: RecordProtection, contentType: number, plaintext: Uint8Array): Uint8Array {
  const fragment = new Uint8Array(protection.sealedLength(plaintext.length));
  protection.seal(contentType, plaintext, fragment);
  return fragment;
}

describe.each(backends)('the records of RFC 8448 ($name)', (crypto) => {
  it.each(traces)('R8446-7.3-1 seal and open to the byte: $title', ({ records, trafficKeys }) => {
    let protectedRecords = 0;
    for (const from of sides)
      for (const epoch of epochs) {
        const keys = trafficKeys.find((candidate) => candidate.from === from && candidate.epoch === epoch);
        const ofEpoch = records.filter((record) => record.from === from && record.epoch === epoch);
        if (keys === undefined) expect(ofEpoch).toEqual([]);
        else {
          const bytes = { key: fromHex(keys.key), iv: fromHex(keys.iv) };
          const writer = tls13Protection(crypto, 'aes-128-gcm', bytes);
          const reader = tls13Protection(crypto, 'aes-128-gcm', bytes);
          for (const { contentType, payload, bytes: record } of ofEpoch) {
            const fragment = record.subarray(recordHeaderLength);
            expect(toHex(seal(writer, contentType, payload))).toBe(toHex(fragment));
            const opened = reader.open(applicationData, fragment);
            expect({ ...opened, payload: toHex(opened.payload) }).toEqual({ contentType, payload: toHex(payload) });
            protectedRecords++;
          }
        }
      }
    expect(protectedRecords).toBe(records.filter(({ epoch }) => epoch !== 'plaintext').length);
  });
});

const aeads = ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'] as const;

describe.each(backends)('TLS 1.3 record protection ($name)', (crypto) => {
  describe.each(aeads)('%s', (aead) => {
    const keys = { key: new Uint8Array(aeadKeyLength[aead]).fill(0x4b), iv: fromHex('a0a1a2a3a4a5a6a7a8a9aaab') };
    const protect = (paddingBlock?: number, limit?: number) => tls13Protection(crypto, aead, keys, paddingBlock, limit);
    /** A record that no implementation of the rules would make. */
    const sealedInner = (inner: Uint8Array): Uint8Array => {
      const fragment = new Uint8Array(inner.length + 16);
      const aad = Uint8Array.of(23, 3, 3, fragment.length >> 8, fragment.length & 0xff);
      crypto.aead(aead, keys.key).seal(keys.iv, aad, inner, fragment);
      return fragment;
    };

    it('counts its records into the nonce, over the first carry', () => {
      const [writer, reader] = [protect(), protect()];
      for (let i = 0; i < 258; i++) {
        const fragment = seal(writer, applicationData, ascii('same'));
        if (i === 0 || i > 254) {
          const nonce = keys.iv.slice();
          nonce[11] = keys.iv[11]! ^ (i & 0xff);
          nonce[10] = keys.iv[10]! ^ (i >> 8);
          const expected = new Uint8Array(fragment.length);
          const aad = Uint8Array.of(23, 3, 3, 0, fragment.length);
          crypto.aead(aead, keys.key).seal(nonce, aad, concat(ascii('same'), Uint8Array.of(23)), expected);
          expect(toHex(fragment)).toBe(toHex(expected));
        }
        expect(toHex(reader.open(applicationData, fragment).payload)).toBe(toHex(ascii('same')));
      }
      expect([writer.records, reader.records]).toEqual([258, 258]);
    });

    it('RFC 8446 5.4: pads content and type to a multiple of the block, and takes padding off', () => {
      const [writer, reader] = [protect(64), protect()];
      for (const [length, padded] of [
        [0, 64],
        [63, 64],
        [64, 128],
        [100, 128],
      ] as const) {
        const content = new Uint8Array(length).fill(9);
        const fragment = seal(writer, handshake, content);
        expect(fragment.length).toBe(padded + 16);
        const opened = reader.open(applicationData, fragment);
        expect(opened.contentType).toBe(handshake);
        expect(toHex(opened.payload)).toBe(toHex(content));
      }
    });

    it('R8449-4-1 padding stays within the limit of the peer', () => {
      expect(protect(1000, 512).sealedLength(100)).toBe(512 + 16);
      expect(protect(1000, 512).sealedLength(511)).toBe(512 + 16);
      expect(protect(16384).sealedLength(maxPlaintextLength)).toBe(maxPlaintextLength + 1 + 16);
    });

    it('zeros at the end of the content are content', () => {
      const content = fromHex('0a00000000');
      expect(toHex(protect().open(applicationData, seal(protect(16), handshake, content)).payload)).toBe('0a00000000');
    });

    it('RFC 8446 5.4: nothing but zeros inside is unexpected_message', () => {
      expect(alertOf(() => protect().open(applicationData, sealedInner(new Uint8Array(8))))).toBe('unexpected_message');
      expect(alertOf(() => protect().open(applicationData, sealedInner(new Uint8Array(0))))).toBe('unexpected_message');
    });

    it('RFC 8446 5.2: 2^14 + 1 bytes inside are taken, one more is record_overflow', () => {
      const inner = new Uint8Array(maxPlaintextLength + 1).fill(applicationData);
      expect(protect().open(applicationData, sealedInner(inner)).payload.length).toBe(maxPlaintextLength);
      const longer = sealedInner(new Uint8Array(maxPlaintextLength + 2).fill(applicationData));
      expect(alertOf(() => protect().open(applicationData, longer))).toBe('record_overflow');
    });

    it('RFC 8446 5.2: a record of more than 2^14 + 256 bytes is record_overflow before anything is decrypted', () => {
      const refused = (length: number) => alertOf(() => protect().open(applicationData, new Uint8Array(length)));
      expect(refused(maxTls13CiphertextLength)).toBe('bad_record_mac');
      expect(refused(maxTls13CiphertextLength + 1)).toBe('record_overflow');
    });

    it('anything that does not verify is bad_record_mac, and does not count', () => {
      const reader = protect();
      const fragment = seal(protect(), applicationData, ascii('hello'));
      for (let i = 0; i < fragment.length; i++) {
        const broken = fragment.slice();
        broken[i]! ^= 1;
        expect(alertOf(() => reader.open(applicationData, broken))).toBe('bad_record_mac');
      }
      expect(alertOf(() => reader.open(applicationData, fragment.subarray(0, 15)))).toBe('bad_record_mac');
      expect(alertOf(() => reader.open(applicationData, fragment.subarray(1)))).toBe('bad_record_mac');
      expect(toHex(reader.open(applicationData, fragment).payload)).toBe(toHex(ascii('hello')));
    });

    it('a record that does not say application_data outside is not protected: bad_record_mac', () => {
      const fragment = seal(protect(), handshake, ascii('hello'));
      for (const contentType of [handshake, alert])
        expect(alertOf(() => protect().open(contentType, fragment))).toBe('bad_record_mac');
    });
  });
});

const secret = (fill: number) => new Uint8Array(32).fill(fill);

/** Keys from a secret of so many equal bytes. */
function epochKeys(crypto: CryptoBackend, fill: number, changes: Partial<EpochKeys> = {}): EpochKeys {
  return {
    crypto,
    aead: 'aes-128-gcm',
    secret: new TrafficSecret(crypto, 'sha256', secret(fill)),
    paddingBlock: 1,
    mayStartWithPlaintextAlert: false,
    ...changes,
  };
}

describe.each(backends)('RecordLayer in TLS 1.3 ($name)', (crypto) => {
  function writerUnder(fill: number, limit?: number): RecordLayer {
    const layer = new RecordLayer();
    layer.versionNegotiated();
    if (limit !== undefined) layer.limitRecordSize(limit, limit);
    layer.changeWriteKeys('application', epochKeys(crypto, fill));
    return layer;
  }
  function readerUnder(fill: number, changes: Partial<EpochKeys> = {}): RecordLayer {
    const layer = new RecordLayer();
    layer.changeReadKeys('handshake', epochKeys(crypto, fill, changes));
    return layer;
  }
  function records(layer: RecordLayer): RawRecord[] {
    const deframer = new Deframer();
    deframer.push(layer.takeOutput());
    const found: RawRecord[] = [];
    for (let raw = deframer.next(); raw !== undefined; raw = deframer.next()) found.push(raw);
    return found;
  }
  function written(fill: number, ...texts: string[]): RawRecord[] {
    const layer = writerUnder(fill);
    for (const text of texts) layer.write(applicationData, ascii(text));
    return records(layer);
  }
  const text = (layer: RecordLayer, record: RawRecord) => {
    const opened = layer.open(record);
    return opened === undefined ? 'skipped' : toHex(opened.payload);
  };
  const one: RawRecord = { contentType: changeCipherSpec, fragment: Uint8Array.of(1) };

  it('R8446-4.2.10-10 what does not open is dropped until something opens, and then nothing is', () => {
    const early = written(1, 'early', 'data');
    const [finished, more] = written(2, 'finished', 'more');
    const reader = readerUnder(2);
    reader.skipEarlyData('record_that_opens', 100);
    expect(early.map((record) => text(reader, record))).toEqual(['skipped', 'skipped']);
    expect(text(reader, finished!)).toBe(toHex(ascii('finished')));
    expect(alertOf(() => reader.open(early[0]!))).toBe('bad_record_mac');
    expect(text(reader, more!)).toBe(toHex(ascii('more')));
  });

  it('R8446-4.2.10-10 content is counted, without type and tag: one more byte than allowed is unexpected_message', () => {
    const reader = readerUnder(2);
    reader.skipEarlyData('record_that_opens', 10);
    const [first, second, third] = written(1, 'early', 'early', '');
    expect([text(reader, first!), text(reader, second!)]).toEqual(['skipped', 'skipped']);
    expect(alertOf(() => reader.open(third!))).toBe('unexpected_message');
  });

  it('R8449-4-1 the first record that opens is under the limit like any other', () => {
    const reader = readerUnder(2);
    reader.limitRecordSize(64, 64);
    reader.skipEarlyData('record_that_opens', 100);
    const [long] = written(2, 'x'.repeat(64));
    expect(alertOf(() => reader.open(long!))).toBe('record_overflow');
  });

  it('R8446-4.2.10-10 a record of nothing counts as well: the skipping ends', () => {
    const reader = readerUnder(2);
    reader.skipEarlyData('record_that_opens', 20);
    const empty: RawRecord = { contentType: applicationData, fragment: new Uint8Array(16) };
    for (let i = 0; i < 20; i++) expect(text(reader, empty)).toBe('skipped');
    expect(alertOf(() => reader.open(empty))).toBe('unexpected_message');
  });

  it('R8446-4.2.10-10 records that are too long are refused all the same', () => {
    const reader = readerUnder(2);
    reader.skipEarlyData('record_that_opens', 2 ** 20);
    const long = { contentType: applicationData, fragment: new Uint8Array(maxTls13CiphertextLength + 1) };
    expect(alertOf(() => reader.open(long))).toBe('record_overflow');
  });

  it('R8446-4.2.10-11 before keys, application_data is dropped and everything else read, until the second ClientHello', () => {
    const reader = new RecordLayer();
    reader.skipEarlyData('second_client_hello', 10);
    const [early] = written(1, 'early');
    const hello: RawRecord = { contentType: handshake, fragment: fromHex('01000000') };
    expect(text(reader, early!)).toBe('skipped');
    expect(text(reader, one)).toBe('01');
    expect(text(reader, hello)).toBe('01000000');
    expect(text(reader, early!)).toBe('skipped');
    expect(alertOf(() => reader.open(early!))).toBe('unexpected_message');
    reader.stopSkipping();
    expect(text(reader, early!)).toBe(toHex(early!.fragment));
  });

  it('R8446-5-1 change_cipher_spec in the clear passes under any keys, and is not counted', () => {
    const reader = readerUnder(2);
    const [first, second] = written(2, 'first', 'second');
    expect(text(reader, one)).toBe('01');
    expect(text(reader, first!)).toBe(toHex(ascii('first')));
    expect(reader.open(one)).toMatchObject({ contentType: changeCipherSpec, owned: false });
    expect(text(reader, second!)).toBe(toHex(ascii('second')));
  });

  it('an alert in the clear passes as the first record of a client, and never later', () => {
    const plain: RawRecord = { contentType: alert, fragment: fromHex('0228') };
    expect(readerUnder(2, { mayStartWithPlaintextAlert: true }).open(plain)).toMatchObject({ owned: false });
    expect(alertOf(() => readerUnder(2).open(plain))).toBe('bad_record_mac');
    const reader = readerUnder(2, { mayStartWithPlaintextAlert: true });
    reader.open(written(2, 'first')[0]!);
    expect(alertOf(() => reader.open(plain))).toBe('bad_record_mac');
  });

  it('R8449-4-1 writes no more plaintext, type included, than the peer takes', () => {
    const layer = writerUnder(1, 64);
    layer.write(applicationData, new Uint8Array(150).fill(5));
    expect(records(layer).map(({ fragment }) => fragment.length - 16)).toEqual([64, 64, 25]);
  });

  it('R8449-4-1 a record above our own limit, padding included, is record_overflow', () => {
    const reader = new RecordLayer();
    reader.limitRecordSize(64, 64);
    reader.changeReadKeys('application', epochKeys(crypto, 1));
    const of = (length: number, paddingBlock = 1) => {
      const layer = new RecordLayer();
      layer.changeWriteKeys('application', epochKeys(crypto, 1, { paddingBlock }));
      layer.write(applicationData, new Uint8Array(length).fill(5));
      return records(layer)[0]!;
    };
    expect(reader.open(of(63))?.payload.length).toBe(63);
    const next = () => {
      const layer = new RecordLayer();
      layer.limitRecordSize(64, 64);
      layer.changeReadKeys('application', epochKeys(crypto, 1));
      return layer;
    };
    expect(alertOf(() => next().open(of(64)))).toBe('record_overflow');
    expect(alertOf(() => next().open(of(10, 100)))).toBe('record_overflow');
  });

  it('R8446-7.3-1 every change of keys starts at 0, in both directions', () => {
    const writer = writerUnder(1);
    writer.write(applicationData, ascii('a'));
    writer.changeWriteKeys('application', epochKeys(crypto, 1));
    writer.write(applicationData, ascii('a'));
    const [first, second] = records(writer);
    expect(toHex(first!.fragment)).toBe(toHex(second!.fragment));
    const reader = readerUnder(1);
    reader.open(first!);
    reader.changeReadKeys('application', epochKeys(crypto, 1));
    expect(text(reader, second!)).toBe(toHex(ascii('a')));
  });

  it('RFC 8446 4.2.10: after a HelloRetryRequest to early data we write in the clear again', () => {
    const layer = writerUnder(1);
    layer.write(applicationData, ascii('early'));
    layer.dropWriteProtection();
    layer.writeHandshake(fromHex('01000000'));
    expect(records(layer).map(({ contentType, fragment }) => [contentType, fragment.length])).toEqual([
      [applicationData, 5 + 1 + 16],
      [handshake, 4],
    ]);
  });
});
