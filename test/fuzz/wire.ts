/** What somebody on the wire may do: records are changed, cut, repeated, moved, dropped, and made up, as the input says. */
import { concat, join } from '../../src/bytes.js';
import { spliced } from './mutate.js';
import type { Decisions } from './target.js';

/** The whole records of a stream; an unfinished one at its end counts as one. */
export function recordsOf(stream: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const end = at + 5 + (stream[at + 3] ?? 0) * 0x100 + (stream[at + 4] ?? 0);
    records.push(stream.subarray(at, end));
    at = end;
  }
  return records;
}

/** The records as they arrive; `others` are what foreign records are taken from. Those of an input without changes are the same. */
export function tampered(
  sent: readonly Uint8Array[],
  decisions: Decisions,
  others: readonly Uint8Array[],
): readonly Uint8Array[] {
  let records = sent;
  for (let left = 24; left > 0 && !decisions.ended && records.length > 0; left--)
    records = decisions.pick(changes)(records, decisions.below(records.length), decisions, others);
  return records;
}

type Change = (
  records: readonly Uint8Array[],
  at: number,
  decisions: Decisions,
  others: readonly Uint8Array[],
) => readonly Uint8Array[];

const changes: readonly Change[] = [
  (records, at, decisions) =>
    edited(records, at, (record) => {
      const place = decisions.number() % (record.length + 1);
      const mask = decisions.byte();
      return record.map((byte, i) => (i === place ? byte ^ mask : byte));
    }),
  // The length in the header goes with the change, or not.
  (records, at, decisions) =>
    edited(records, at, (record) =>
      relength(spliced(record, 5 + (decisions.number() % (record.length + 1)), 0, decisions.bytes())),
    ),
  (records, at, decisions) =>
    edited(records, at, (record) =>
      relength(spliced(record, 5 + (decisions.number() % (record.length + 1)), decisions.byte(), new Uint8Array(0))),
    ),
  (records, at, decisions) =>
    edited(records, at, (record) =>
      spliced(record, decisions.number() % (record.length + 1), decisions.below(9), decisions.bytes()),
    ),
  (records, at) => [...records.slice(0, at), ...records.slice(at + 1)],
  (records, at, decisions) => inserted(records, decisions.below(records.length + 1), records[at]!),
  (records, at, decisions) => {
    const moved = [...records.slice(0, at), ...records.slice(at + 1)];
    return inserted(moved, decisions.below(records.length), records[at]!);
  },
  (records, at, decisions, others) => inserted(records, at, others[decisions.number() % others.length]!),
  (records, at, decisions) => inserted(records, at, record(decisions.pick([20, 21, 22, 23, 24]), decisions.bytes())),
  (records, at, decisions) => edited(records, at, (one) => withType(one, decisions.pick([20, 21, 22, 23, 24, 0]))),
  (records, at, decisions) =>
    edited(records, at, (one) => withVersion(one, decisions.pick([0x300, 0x301, 0x302, 0x303, 0x304, 0x200]))),
  // Cut in two records, which is allowed for handshake messages in the clear.
  (records, at, decisions) => {
    const whole = records[at]!;
    const place = 5 + (decisions.number() % Math.max(1, whole.length - 5));
    const halves = [relength(whole.subarray(0, place)), relength(concat(whole.subarray(0, 5), whole.subarray(place)))];
    return [...records.slice(0, at), ...halves, ...records.slice(at + 1)];
  },
  // Two records in one.
  (records, at) => {
    const [one, other] = [records[at]!, records[at + 1]];
    if (other === undefined || one[0] !== other[0]) return records;
    return [...records.slice(0, at), relength(concat(one, other.subarray(5))), ...records.slice(at + 2)];
  },
  (records, at) => records.slice(0, at + 1),
];

function edited(
  records: readonly Uint8Array[],
  at: number,
  edit: (record: Uint8Array) => Uint8Array,
): readonly Uint8Array[] {
  return records.map((record, i) => (i === at ? edit(record) : record));
}

function inserted(records: readonly Uint8Array[], at: number, added: Uint8Array): readonly Uint8Array[] {
  return [...records.slice(0, at), added, ...records.slice(at)];
}

function record(contentType: number, payload: Uint8Array): Uint8Array {
  return relength(concat(Uint8Array.of(contentType, 3, 3, 0, 0), payload));
}

function relength(record: Uint8Array): Uint8Array {
  const fixed = record.slice();
  const length = Math.max(0, record.length - 5);
  if (fixed.length >= 5) fixed.set([(length >> 8) & 0xff, length & 0xff], 3);
  return fixed;
}

function withType(record: Uint8Array, contentType: number): Uint8Array {
  return record.map((byte, i) => (i === 0 ? contentType : byte));
}

function withVersion(record: Uint8Array, version: number): Uint8Array {
  return record.map((byte, i) => (i === 1 ? version >> 8 : i === 2 ? version & 0xff : byte));
}

/** The stream as the transport delivers it: at once, record by record, or in small pieces. */
export function delivered(records: readonly Uint8Array[], manner: number): readonly Uint8Array[] {
  if (manner % 4 === 0) return records.map((one) => one.slice());
  const stream = join(records);
  if (manner % 4 === 1) return [stream];
  const chunks: Uint8Array[] = [];
  const size = manner % 4 === 2 ? 1 + manner : 1 + 16 * manner;
  for (let at = 0; at < stream.length; at += size) chunks.push(stream.slice(at, at + size));
  return chunks;
}
