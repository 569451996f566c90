/** What decoding says about bytes that it refuses. */
import { fromHex } from '../../src/bytes.js';
import { DecodeError, UsageError, type UsageErrorCode } from '../../src/errors.js';
import type { Codec } from '../../src/presentation/codec.js';

/** The bytes of hexadecimal text, in which spaces set fields apart. */
export function hex(text: string): Uint8Array {
  return fromHex(text.replaceAll(' ', ''));
}

/** `code path @offset` of the `DecodeError` that the bytes cause, or `decoded`. */
export function refusal(codec: Pick<Codec<unknown>, 'decode'>, text: string): string {
  try {
    codec.decode(hex(text));
    return 'decoded';
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return `${error.code} ${error.path} @${error.offset}`;
  }
}

/** The code of the `UsageError` that a call throws, or `undefined`. */
export function misuse(call: () => unknown): UsageErrorCode | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.code;
  }
}
