/**
 * Deframer, joiner and record layer. However a stream is cut, the same records and messages come out, in the same order, until the
 * same error; nothing is held beyond what one record and one message may have; and no record opens that was not sealed.
 */
import { equal, join, toHex } from '../../../src/bytes.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { AlertError } from '../../../src/errors.js';
import { contentTypes } from '../../../src/parameters.js';
import { Deframer, maxCiphertextLength, recordHeaderLength } from '../../../src/record/deframer.js';
import { HandshakeJoiner } from '../../../src/record/handshake-joiner.js';
import { tls12Protection } from '../../../src/record/protection.js';
import { tls13Protection } from '../../../src/record/protection-tls13.js';
import { maxConsecutiveEmptyRecords, RecordLayer } from '../../../src/record/record-layer.js';
import { captures } from '../../support/capture.js';
import { spliced } from '../mutate.js';
import { Decisions, rule, seed, type FuzzTarget } from '../target.js';

const maxMessageLength = 600;

/** What comes out of a stream: records, messages, and the error that ends it. */
function deframed(chunks: readonly Uint8Array[]): string[] {
  const told: string[] = [];
  const deframer = new Deframer();
  const joiner = new HandshakeJoiner(maxMessageLength);
  try {
    for (const chunk of chunks) {
      deframer.push(chunk);
      for (let record = deframer.next(); record !== undefined; record = deframer.next()) {
        told.push(`record ${record.contentType} ${toHex(record.fragment)}`);
        if (record.contentType !== contentTypes.handshake) continue;
        joiner.push(record.fragment, false);
        for (let message = joiner.next(); message !== undefined; message = joiner.next())
          told.push(`message ${message.type} ${toHex(message.bytes)}`);
        rule(joiner.buffered < maxMessageLength, `${joiner.buffered} bytes of one message wait`);
      }
      rule(deframer.buffered < recordHeaderLength + maxCiphertextLength, `${deframer.buffered} bytes of a record wait`);
    }
    told.push(`rest ${deframer.buffered} ${joiner.buffered}`);
  } catch (error) {
    if (!(error instanceof AlertError)) throw error;
    told.push(error.message);
  }
  return told;
}

/** The bytes in pieces as long as the cuts say, round and round. */
function pieces(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const length = 1 + (cuts[turn % cuts.length] ?? 0);
    chunks.push(stream.slice(at, at + length));
    at += length;
  }
  return chunks;
}

const protections = {
  'TLSv1.2 GCM': () => tls12Protection(nodeCrypto, 'aes-128-gcm', { key: filled(16), iv: filled(4) }),
  'TLSv1.2 ChaCha20': () => tls12Protection(nodeCrypto, 'chacha20-poly1305', { key: filled(32), iv: filled(12) }),
  'TLSv1.3': () => tls13Protection(nodeCrypto, 'aes-256-gcm', { key: filled(32), iv: filled(12) }),
  'TLSv1.3 padded': () => tls13Protection(nodeCrypto, 'aes-128-gcm', { key: filled(16), iv: filled(12) }, 16),
};
const filled = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => 7 * i + 1);

/** Writes as the input says, changes what is on the wire as it says, and reads. */
function sealedRecords(data: Uint8Array): void {
  const decisions = new Decisions(data);
  const protection = decisions.pick(Object.values(protections));
  const [writer, reader] = [new RecordLayer(), new RecordLayer()];
  writer.changeWriteProtection(protection());
  reader.changeReadProtection(protection());
  if (decisions.below(4) === 3) {
    const limit = 64 + decisions.byte();
    writer.limitRecordSize(limit, 2 ** 14 + 1);
    reader.limitRecordSize(2 ** 14 + 1, limit);
  }
  const written = new Map<number, Uint8Array[]>(Object.values(contentTypes).map((type) => [type, []]));
  for (let left = decisions.below(6); left >= 0; left--) {
    const contentType = decisions.pick([20, 21, 22, 23]);
    const payload = filled(decisions.below(8) === 7 ? decisions.number() >> 1 : decisions.byte());
    writer.write(contentType, payload);
    written.get(contentType)!.push(payload);
  }
  let stream = writer.takeOutput();
  const whole = stream;
  while (!decisions.ended) {
    const change = decisions.below(3);
    const at = decisions.number() % (stream.length + 1);
    const value = decisions.byte();
    if (change === 0) stream = stream.map((byte, i) => (i === at ? byte ^ value : byte));
    else if (change === 1) stream = spliced(stream, at, value, new Uint8Array(0));
    else stream = spliced(stream, at, 0, stream.slice(at, at + value));
  }
  const read = new Map<number, Uint8Array[]>(Object.values(contentTypes).map((type) => [type, []]));
  let failed = false;
  let empty = 0;
  try {
    const deframer = new Deframer();
    deframer.push(stream);
    for (let record = deframer.next(); record !== undefined; record = deframer.next()) {
      const opened = reader.open(record);
      rule(opened !== undefined, 'nothing is skipped where nobody asked for it');
      // RFC 8446 D.4: the one thing that is taken without protection.
      if (!opened.owned) {
        rule(opened.contentType === contentTypes.change_cipher_spec, 'a record in the clear');
        continue;
      }
      empty = opened.payload.length === 0 ? empty + 1 : 0;
      rule(empty <= maxConsecutiveEmptyRecords, 'endless empty records');
      read.get(opened.contentType)!.push(opened.payload);
    }
  } catch (error) {
    if (!(error instanceof AlertError)) throw error;
    failed = true;
  }
  for (const [contentType, payloads] of read) {
    const [sent, got] = [join(written.get(contentType)!), join(payloads)];
    rule(equal(got, sent.subarray(0, got.length)), `records of type ${contentType} open that nobody sealed`);
    if (!failed && equal(stream, whole)) rule(got.length === sent.length, 'what was sealed opens');
  }
}

export const recordTargets: readonly FuzzTarget[] = [
  {
    name: 'deframer',
    seeds: () =>
      captures()
        .slice(0, 12)
        .flatMap(({ sent }) => [
          seed([2, 0, 9], sent.client.subarray(0, 3000)),
          seed([1, 40], sent.server.subarray(0, 3000)),
        ]),
    run: (data) => {
      const decisions = new Decisions(data);
      const cuts = [...decisions.bytes()];
      const stream = decisions.rest();
      const whole = deframed([stream]);
      const cut = deframed(pieces(stream, cuts));
      rule(cut.join('\n') === whole.join('\n'), 'cuts make a difference');
    },
  },
  {
    name: 'record-layer',
    seeds: () =>
      [0, 1, 2, 3].flatMap((kind) => [
        seed([kind, 0, 3, 3, 1, 20, 2, 0, 40, 3, 2, 200, 10]),
        seed([kind, 3, 40, 1, 3, 2, 4, 0, 3, 0, 5]),
        seed([kind, 0, 1, 3, 0, 9, 3, 0, 9, 0, 0, 2, 4]),
      ]),
    run: sealedRecords,
  },
];
