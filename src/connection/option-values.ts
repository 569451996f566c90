/** Single options, checked: what is wrong is a `UsageError` that names the option. */
import { ascii, fromAscii } from '../bytes.js';
import { UsageError } from '../errors.js';
import { isHostName } from '../messages/extensions/server-name.js';

export function hostName(name: string): string {
  if (!isHostName(name))
    throw new UsageError(
      'invalid_option',
      '`serverName` is an ASCII host name, without trailing dot, not an IP address',
    );
  return name.toLowerCase();
}

export function wholeNumber(option: string, value: number, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > max)
    throw new UsageError('invalid_option', `\`${option}\` is a whole number from 0 to ${max}`);
  return value;
}

export function inRange(option: string, value: number, min: number, max: number): number {
  if (value < min) throw new UsageError('invalid_option', `\`${option}\` is a whole number from ${min} to ${max}`);
  return wholeNumber(option, value, max);
}

/** One character a byte: a text that was cut to bytes could come out as another. */
export function byteString(option: string, text: string): Uint8Array {
  const bytes = ascii(text);
  if (fromAscii(bytes) !== text)
    throw new UsageError('invalid_option', `\`${option}\` has a character that is no byte`);
  return bytes;
}
