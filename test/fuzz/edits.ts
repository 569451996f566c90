/**
 * Changes of a handshake message that keep it whole where the input says so: a field that is replaced, left out or repeated takes
 * every length around it along, so that what comes of it is read further than to its first length.
 */
import { join } from '../../src/bytes.js';
import { handshakeMessages, type HandshakeVersion } from '../../src/messages/handshake.js';
import { explain, type ExplainedField } from '../../src/presentation/explain.js';
import { spliced } from './mutate.js';
import type { Decisions } from './target.js';

/** What a peer says in place of one message: none, one or several. */
export type Edit = (message: Uint8Array, version: HandshakeVersion) => readonly Uint8Array[];

/** Reads a change; all of it at once, so that it stays the same whatever message it meets. `pool`: messages of elsewhere. */
export function readEdit(decisions: Decisions, pool: readonly Uint8Array[]): Edit {
  const kind = decisions.below(11);
  const [where, bytes] = [decisions.number(), decisions.bytes()];
  const foreign = pool[where % pool.length]!;
  switch (kind) {
    case 0:
      return (message) => [
        message.map((byte, i) => (i === where % (message.length || 1) ? byte ^ (bytes[0] ?? 1) : byte)),
      ];
    case 1:
      return (message) => [
        resized(spliced(message, 4 + (where % (message.length || 1)), bytes.length + 1, new Uint8Array(0))),
      ];
    case 2:
      return (message) => [resized(spliced(message, 4 + (where % (message.length || 1)), 0, bytes))];
    case 3:
      return (message, version) => [withField(message, version, where, () => bytes)];
    case 4:
      return (message, version) => [withField(message, version, where, () => new Uint8Array(0))];
    case 5:
      return (message, version) => [withField(message, version, where, (field) => join([field, field]))];
    case 6:
      return (message, version) => [
        withField(message, version, where, (field) => field.map((byte, i) => byte ^ (bytes[i % bytes.length] ?? 1))),
      ];
    case 7:
      return () => [];
    case 8:
      return (message) => [message, message];
    case 9:
      return () => [foreign];
    default:
      return (message) => (bytes.length % 2 === 0 ? [foreign, message] : [message, foreign]);
  }
}

function resized(message: Uint8Array): Uint8Array {
  const length = Math.max(0, message.length - 4);
  const copy = message.slice();
  if (copy.length >= 4) copy.set([length >> 16, (length >> 8) & 0xff, length & 0xff], 1);
  return copy;
}

/** Replaces the bytes of one field or structure, and sets the lengths of whatever encloses it right. */
function withField(
  message: Uint8Array,
  version: HandshakeVersion,
  index: number,
  replace: (field: Uint8Array) => Uint8Array,
): Uint8Array {
  const { fields } = explain(handshakeMessages[version], message);
  const field = fields[index % fields.length];
  if (field === undefined) return message;
  const { offset, length } = field;
  const added = replace(message.subarray(offset, offset + length));
  const copy = message.slice();
  for (const outer of fields)
    if (isLength(outer) && outer.offset + outer.length <= offset && offset + length <= endOf(outer))
      write(copy, outer, Number(outer.value) + added.length - length);
  return spliced(copy, offset, length, added);
}

const isLength = ({ name }: ExplainedField): boolean => name === 'length' || name.endsWith(' length');
const endOf = ({ offset, length, value }: ExplainedField): number => offset + length + Number(value);

function write(message: Uint8Array, { offset, length }: ExplainedField, value: number): void {
  for (let i = 0; i < length; i++) message[offset + i] = Math.floor(value / 0x100 ** (length - 1 - i)) & 0xff;
}
