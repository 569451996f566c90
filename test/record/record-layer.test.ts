import { describe, expect, it } from 'vitest';
import { concat, empty, fromHex, toHex } from '../../src/bytes.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { Deframer, maxPlaintextLength } from '../../src/record/deframer.js';
import { tls12Protection, type RecordProtection } from '../../src/record/protection.js';
import { maxConsecutiveEmptyRecords, RecordLayer, type PlainRecord } from '../../src/record/record-layer.js';
import { alertOf } from '../support/alerts.js';

function protection(fill = 0x4b): RecordProtection {
  return tls12Protection(nobleCrypto, 'chacha20-poly1305', {
    key: new Uint8Array(32).fill(fill),
    iv: new Uint8Array(12).fill(fill),
  });
}

/** Content type, version, length of each record. */
function headers(output: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at < output.length;) {
    const length = (output[at + 3] ?? 0) * 256 + (output[at + 4] ?? 0);
    found.push(`${toHex(output.subarray(at, at + 3))} ${String(length)}`);
    at += 5 + length;
  }
  return found;
}

/** Both directions under the same keys: a layer that reads what it wrote. */
function protectedLayer(): RecordLayer {
  const layer = new RecordLayer();
  layer.versionNegotiated();
  layer.changeReadProtection(protection());
  layer.changeWriteProtection(protection());
  return layer;
}

function readBack(layer: RecordLayer, output: Uint8Array): PlainRecord[] {
  const deframer = new Deframer();
  deframer.push(output);
  const records: PlainRecord[] = [];
  for (let raw = deframer.next(); raw !== undefined; raw = deframer.next()) {
    const record = layer.open(raw);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** A protected record with this plaintext, whatever its size. */
function sealed(writer: RecordProtection, contentType: number, plaintext: Uint8Array) {
  const fragment = new Uint8Array(plaintext.length + writer.sealedLength(0));
  writer.seal(contentType, plaintext, fragment);
  return { contentType, fragment };
}

describe('RecordLayer: writing', () => {
  it('RFC 5246 E.1: the first ClientHello goes in a record of version 3.1, everything after in 3.3', () => {
    const layer = new RecordLayer();
    layer.writeHandshake(fromHex('01000000'));
    layer.versionNegotiated();
    layer.writeHandshake(fromHex('10000000'));
    expect(headers(layer.takeOutput())).toEqual(['160301 4', '160303 4']);
  });

  it('messages of a flight share a record, until anything else is written or keys change', () => {
    const layer = new RecordLayer();
    layer.versionNegotiated();
    layer.writeHandshake(fromHex('02000000'));
    layer.writeHandshake(fromHex('0e000000'));
    layer.writeChangeCipherSpec();
    layer.changeWriteProtection(protection());
    layer.writeHandshake(fromHex('14000000'));
    layer.write(21, fromHex('0100'));
    const output = layer.takeOutput();
    expect(headers(output)).toEqual(['160303 8', '140303 1', '160303 20', '150303 18']);
    expect(toHex(output.subarray(5, 13))).toBe('020000000e000000');
    expect(toHex(output.subarray(18, 19))).toBe('01');
  });

  it('R8446-5-1 ChangeCipherSpec is never protected', () => {
    const layer = protectedLayer();
    layer.write(23, fromHex('01'));
    layer.writeChangeCipherSpec();
    layer.write(23, fromHex('02'));
    const output = layer.takeOutput();
    expect(headers(output)).toEqual(['170303 17', '140303 1', '170303 17']);
    expect(toHex(output.subarray(22, 28))).toBe('140303000101');
  });

  it('says whether messages of a flight wait', () => {
    const layer = new RecordLayer();
    expect(layer.flightWaits).toBe(false);
    layer.writeHandshake(fromHex('0e000000'));
    expect(layer.flightWaits).toBe(true);
    layer.flush();
    expect(layer.flightWaits).toBe(false);
  });

  it('cuts what is longer than 2^14 bytes, also a flight', () => {
    const layer = protectedLayer();
    layer.write(23, new Uint8Array(2 * maxPlaintextLength).fill(1));
    layer.write(23, new Uint8Array(maxPlaintextLength + 1).fill(2));
    layer.writeHandshake(new Uint8Array(maxPlaintextLength).fill(3));
    layer.writeHandshake(new Uint8Array(10).fill(4));
    const output = layer.takeOutput();
    expect(headers(output)).toEqual([
      '170303 16400',
      '170303 16400',
      '170303 16400',
      '170303 17',
      '160303 16400',
      '160303 26',
    ]);
    const payloads = readBack(layer, output).map(({ payload }) => payload);
    expect(payloads.map((payload) => payload.length)).toEqual([16384, 16384, 16384, 1, 16384, 10]);
    expect(payloads.map((payload) => new Set(payload))).toEqual([1, 1, 2, 2, 3, 4].map((fill) => new Set([fill])));
  });

  it('gives its output out once', () => {
    const layer = new RecordLayer();
    layer.write(21, fromHex('0228'));
    expect(toHex(layer.takeOutput())).toBe('15030100020228');
    expect(layer.takeOutput()).toEqual(empty);
  });

  it('R5246-6.3-1 new keys start at sequence number 0, old ones go on to the end of what was written', () => {
    const layer = protectedLayer();
    layer.write(23, fromHex('01'));
    layer.writeHandshake(fromHex('02'));
    layer.changeWriteProtection(protection(0x77));
    layer.write(23, fromHex('03'));
    const reader = new RecordLayer();
    reader.changeReadProtection(protection());
    const deframer = new Deframer();
    deframer.push(layer.takeOutput());
    const next = () => deframer.next() ?? { contentType: 0, fragment: empty };
    expect([reader.open(next()), reader.open(next())].map((record) => toHex(record!.payload))).toEqual(['01', '02']);
    reader.changeReadProtection(protection(0x77));
    expect(toHex(reader.open(next())!.payload)).toBe('03');
  });
});

describe('RecordLayer: reading', () => {
  it('says whether a payload has an array of its own', () => {
    const plain = new RecordLayer().open({ contentType: 22, fragment: fromHex('0e000000') });
    expect(plain).toEqual({ contentType: 22, payload: fromHex('0e000000'), owned: false });
    const layer = protectedLayer();
    layer.write(22, fromHex('14'));
    expect(readBack(layer, layer.takeOutput())).toEqual([{ contentType: 22, payload: fromHex('14'), owned: true }]);
  });

  it('RFC 5246 6.2.1: plaintext of 2^14 bytes is taken, one more is record_overflow, plain or protected', () => {
    const [longest, tooLong] = [new Uint8Array(maxPlaintextLength), new Uint8Array(maxPlaintextLength + 1)];
    expect(new RecordLayer().open({ contentType: 22, fragment: longest })!.payload.length).toBe(2 ** 14);
    expect(alertOf(() => new RecordLayer().open({ contentType: 22, fragment: tooLong }))).toBe('record_overflow');

    const layer = protectedLayer();
    const writer = protection();
    expect(layer.open(sealed(writer, 23, longest))!.payload.length).toBe(2 ** 14);
    expect(alertOf(() => layer.open(sealed(writer, 23, tooLong)))).toBe('record_overflow');
  });

  it('takes 32 empty application records in a row, and not one more', () => {
    const layer = protectedLayer();
    const writer = protection();
    const emptyRecord = () => layer.open(sealed(writer, 23, empty));
    expect(maxConsecutiveEmptyRecords).toBe(32);
    for (let i = 0; i < 32; i++) expect(emptyRecord()!.payload.length).toBe(0);
    layer.open(sealed(writer, 23, fromHex('00')));
    for (let i = 0; i < 32; i++) expect(emptyRecord()!.payload.length).toBe(0);
    expect(alertOf(emptyRecord)).toBe('unexpected_message');
  });

  it('alerts between empty records do not make them fewer', () => {
    const layer = protectedLayer();
    const writer = protection();
    for (let i = 0; i < 32; i++) {
      layer.open(sealed(writer, 23, empty));
      expect(layer.open(sealed(writer, 21, fromHex('015a')))!.payload).toEqual(fromHex('015a'));
    }
    expect(alertOf(() => layer.open(sealed(writer, 23, empty)))).toBe('unexpected_message');
  });

  it('RFC 5246 6.2.1: refuses empty records of any other type, and all empty ones before keys', () => {
    for (const contentType of [20, 21, 22, 23])
      expect(alertOf(() => new RecordLayer().open({ contentType, fragment: empty }))).toBe('unexpected_message');
    for (const contentType of [20, 21, 22])
      expect(alertOf(() => protectedLayer().open(sealed(protection(), contentType, empty)))).toBe('unexpected_message');
  });

  it('a plain record where a protected one is due is bad_record_mac', () => {
    const layer = protectedLayer();
    for (const fragment of [fromHex('0100'), new Uint8Array(40)])
      expect(alertOf(() => layer.open({ contentType: 21, fragment }))).toBe('bad_record_mac');
  });

  it('destroys its keys once, and keeps the output that waits', () => {
    let destroyed = 0;
    const watched = (inner: RecordProtection): RecordProtection => ({
      records: 0,
      typeLength: inner.typeLength,
      sealedLength: (length) => inner.sealedLength(length),
      limitedLength: (length) => inner.limitedLength(length),
      seal: (contentType, plaintext, output) => inner.seal(contentType, plaintext, output),
      open: (contentType, fragment) => inner.open(contentType, fragment),
      destroy: () => {
        destroyed++;
        inner.destroy();
      },
    });
    const layer = new RecordLayer();
    layer.versionNegotiated();
    layer.changeReadProtection(watched(protection()));
    layer.changeWriteProtection(watched(protection()));
    layer.changeWriteProtection(watched(protection(0x77)));
    expect(destroyed).toBe(1);
    layer.writeHandshake(fromHex('14'));
    layer.destroy();
    layer.destroy();
    expect(destroyed).toBe(3);
    expect(headers(layer.takeOutput())).toEqual(['160303 17']);
  });

  it('keeps nothing of the transport: output does not change with its input', () => {
    const layer = new RecordLayer();
    const payload = fromHex('aabb');
    layer.write(23, payload);
    payload.fill(0);
    expect(toHex(layer.takeOutput())).toBe(toHex(concat(fromHex('1703010002'), fromHex('aabb'))));
  });
});
