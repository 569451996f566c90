import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { DecodeError } from '../../src/errors.js';
import * as messages from '../../src/messages/index.js';
import type { Codec } from '../../src/presentation/codec.js';
import { arbitraryOf, isOpenEnded } from '../support/arbitrary.js';

/** Every codec that `tls-resume/messages` exports, whole messages, and the extensions of every message. */
const codecs: readonly (readonly [string, Codec<unknown>])[] = [
  ...Object.entries<unknown>(messages).filter((entry): entry is [string, Codec<unknown>] => isCodec(entry[1])),
  ...Object.entries(messages.handshakeMessages),
];

function isCodec(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'shape' in value && 'decode' in value;
}

it('covers all codecs', () => {
  expect(codecs.length).toBeGreaterThanOrEqual(57);
});

describe.each(codecs)('%s', (_, codec) => {
  const values = arbitraryOf(codec);

  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(value);
      }),
    );
  });

  it('answers arbitrary bytes with a value that they encode or with an alert', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => isOneEncoding(codec, bytes)));
  });

  it('answers a changed byte with a value that the bytes encode or with an alert', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(255), (value, at, byte) => {
        const bytes = codec.encode(value);
        bytes[at % bytes.length] = byte;
        isOneEncoding(codec, bytes);
      }),
    );
  });

  it('explains every byte once', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = codec.encode(value);
        const { fields, error } = messages.explain(codec, bytes);
        expect(error).toBeUndefined();
        let end = 0;
        for (const field of fields.filter(({ value }) => value !== undefined)) {
          expect(field.offset).toBe(end);
          end += field.length;
        }
        expect(end).toBe(bytes.length);
      }),
    );
  });
});

const closed = codecs.filter(([, codec]) => !isOpenEnded(codec.shape));

describe('every strict prefix of an encoding is refused', () => {
  it.each(closed)('%s', (_, codec) => {
    fc.assert(
      fc.property(arbitraryOf(codec), fc.nat(), (value, cut) => {
        const bytes = codec.encode(value);
        if (bytes.length === 0) return;
        expect(failure(codec, bytes.subarray(0, cut % bytes.length))).toBeInstanceOf(DecodeError);
      }),
    );
  });
});

/** There is one encoding of a value: what decodes encodes to the same bytes. */
function isOneEncoding(codec: Codec<unknown>, bytes: Uint8Array): void {
  const error = failure(codec, bytes);
  if (error === undefined) expect(toHex(codec.encode(codec.decode(bytes)))).toBe(toHex(bytes));
  else if (!(error instanceof DecodeError))
    expect(error).toMatchObject({ name: 'AlertError', code: 'unexpected_message' });
}

function failure(codec: Codec<unknown>, bytes: Uint8Array): unknown {
  try {
    codec.decode(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}
