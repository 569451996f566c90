/**
 * Decoders of everything that a peer encodes. Bytes that do not decode are a `DecodeError`, or an `AlertError` for a message that
 * the version does not have; bytes that do come back the same; and the annotated dump covers every byte once.
 */
import { equal, fromHex } from '../../../src/bytes.js';
import { readAlert } from '../../../src/connection/alerts.js';
import { AlertError, DecodeError, PeerAlertError } from '../../../src/errors.js';
import { importedIdentity } from '../../../src/key-schedule/psk-importer.js';
import * as messages from '../../../src/messages/index.js';
import type { Codec } from '../../../src/presentation/codec.js';
import { explain, explainText } from '../../../src/presentation/explain.js';
import { clientIdentity, statePlaintext } from '../../../src/sessions/state-plaintext.js';
import { plaintextMessages, rfc8448Messages } from '../../support/capture.js';
import { readVectors } from '../../support/vectors.js';
import { readEdit } from '../edits.js';
import { Decisions, lazily, rule, seed, type FuzzTarget } from '../target.js';

const { handshakeMessages } = messages;

/** One message of each type and length, by version. */
const allMessages = lazily(() => {
  const all = [...plaintextMessages(), ...rfc8448Messages()];
  const distinct = (of: messages.HandshakeVersion) => [
    ...new Map(
      all.filter(({ version }) => version === of).map(({ bytes }) => [`${bytes.length} ${bytes[0]!}`, bytes]),
    ).values(),
  ];
  return { 'TLSv1.2': distinct('TLSv1.2'), 'TLSv1.3': distinct('TLSv1.3') };
});

const ofVersion = (name: string, version: messages.HandshakeVersion): FuzzTarget => ({
  name,
  seeds: () => allMessages()[version],
  run: (data) => decodes(handshakeMessages[version], data),
});

/** Every codec that `tls-resume/messages` exports, in the order of their names, and those of PSKs and tickets. */
const codecs: readonly Codec<unknown>[] = [
  ...Object.entries(messages)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, value]): Codec<unknown>[] => (isCodec(value) ? [value] : [])),
  ...Object.values(messages.handshakeCodecs.tls12),
  ...Object.values(messages.handshakeCodecs.tls13),
  importedIdentity,
  clientIdentity,
  statePlaintext,
];

function isCodec(value: unknown): value is Codec<unknown> {
  return typeof value === 'object' && value !== null && 'shape' in value && 'decode' in value;
}

/** Bodies and data of extensions, for the codec that reads each. */
function parts(): Uint8Array[] {
  const bodies = [...allMessages()['TLSv1.2'], ...allMessages()['TLSv1.3']].map((message) => message.subarray(4));
  const dumps = (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
    allMessages()[version].flatMap((bytes) =>
      explain(handshakeMessages[version], bytes)
        .fields.filter(({ name, depth }) => name === 'data' || depth === 3)
        .map(({ offset, length }) => bytes.subarray(offset, offset + length)),
    ),
  );
  const pieces = [...bodies, ...dumps, ...importedIdentities()].filter(({ length }) => length > 0);
  const distinct = [...new Map(pieces.map((piece) => [piece.subarray(0, 8).toString(), piece])).values()];
  return codecs.flatMap((codec, index) =>
    distinct
      .filter((piece) => decodesAtAll(codec, piece))
      .slice(0, 4)
      .map((piece) => seed([index], piece)),
  );
}

function importedIdentities(): Uint8Array[] {
  const { tests } = readVectors('rfc/psk-importer-rfc9258.json') as {
    tests: readonly { importedIdentityHex: string }[];
  };
  return tests.map(({ importedIdentityHex }) => fromHex(importedIdentityHex));
}

function decodesAtAll(codec: Codec<unknown>, bytes: Uint8Array): boolean {
  try {
    codec.decode(bytes.slice());
    return true;
  } catch {
    return false;
  }
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
/** The choice of the i-th message. */
const of = (i: number, version: messages.HandshakeVersion): number[] =>
  allMessages()[version].length > 0x100 ? [i >> 8, i & 0xff] : [i];

export const messageTargets: readonly FuzzTarget[] = [
  ofVersion('messages-tls12', 'TLSv1.2'),
  ofVersion('messages-tls13', 'TLSv1.3'),
  {
    // A message of the vectors after up to four edits that set the lengths right.
    name: 'messages-edited',
    seeds: () =>
      versions.flatMap((version, index) =>
        allMessages()[version].flatMap((_, i) => [
          seed([index, ...of(i, version), 5, 0, i % 64]),
          seed([index, ...of(i, version), 3, 0, (5 * i) % 64, 3, 1, 2, 3]),
        ]),
      ),
    run: (data) => {
      const decisions = new Decisions(data);
      const version = decisions.pick(versions);
      const all = allMessages()[version];
      let message = decisions.pick(all);
      for (let left = 4; left > 0 && !decisions.ended; left--)
        message = readEdit(decisions, all)(message, version)[0] ?? message;
      decodes(handshakeMessages[version], message);
    },
  },
  {
    name: 'codecs',
    seeds: parts,
    run: (data) => {
      const decisions = new Decisions(data);
      const codec = decisions.pick(codecs);
      decodes(codec, decisions.rest());
    },
  },
  {
    name: 'alerts',
    seeds: () => [seed([0, 1, 0]), seed([1, 2, 40]), seed([0, 2, 10]), seed([1, 1, 90])],
    run: (data) => {
      const decisions = new Decisions(data);
      const isTls13 = decisions.below(2) === 1;
      const payload = decisions.rest();
      try {
        const notice = readAlert(payload, isTls13);
        rule(payload.length === 2, 'an alert is two bytes');
        rule(isTls13 || payload[0] === 1, 'a fatal alert of TLS 1.2 is no notice');
        rule((notice.type === 'close_notify') === (payload[1] === 0), 'close_notify is 0');
      } catch (error) {
        if (error instanceof PeerAlertError) rule(payload.length === 2, 'an alert is two bytes');
        else if (error instanceof AlertError)
          rule(payload.length !== 2 || (payload[0] !== 2 && (isTls13 || payload[0] !== 1)), 'the alert is well-formed');
        else throw error;
      }
    },
  },
];

function decodes(codec: Codec<unknown>, bytes: Uint8Array): void {
  const untouched = bytes.slice();
  const { fields, error } = explain(codec, bytes);
  rule(explainText(codec, bytes).length > 0 || bytes.length === 0, 'a dump says something');
  let value: unknown;
  try {
    value = codec.decode(bytes);
  } catch (thrown) {
    const fits =
      thrown instanceof DecodeError || (thrown instanceof AlertError && thrown.code === 'unexpected_message');
    if (!fits) throw thrown;
    rule(error?.message === thrown.message, 'the dump ends where decoding does');
    if (thrown instanceof DecodeError)
      rule(thrown.offset >= 0 && thrown.offset <= bytes.length, `an error at byte ${thrown.offset} of ${bytes.length}`);
    return;
  }
  rule(error === undefined, 'the dump of what decodes has no error');
  expectDistinctTypes(value);
  rule(equal(codec.encode(value), untouched), 'what decodes is encoded to the same bytes');
  rule(equal(bytes, untouched), 'decoding changes nothing');
  let at = 0;
  for (const field of fields)
    if (field.value !== undefined) {
      rule(field.offset === at, `byte ${at} is in no field, or in two`);
      at += field.length;
    }
  rule(at === bytes.length, 'the last bytes are in no field');
}

/** RFC 8446 4.2: no type of extension stands twice in one list. */
function expectDistinctTypes(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if (Array.isArray(value)) {
    const types = value.flatMap((item: unknown) =>
      typeof item === 'object' && item !== null && 'type' in item ? [item.type] : [],
    );
    rule(new Set(types).size === types.length, 'an extension stands twice');
  }
  Object.values(value).forEach(expectDistinctTypes);
}
