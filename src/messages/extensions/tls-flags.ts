/**
 * tls_flags: one bit for each extension that says all by being there (draft-ietf-tls-tlsflags-14 2). Flag 0 is the lowest bit of the
 * first byte.
 *
 * The surprising thing: there is one encoding of each set of flags, so bytes of zero at the end are wrong, though they say nothing.
 */
import { AlertError } from '../../errors.js';
import { opaque } from '../../presentation/codec.js';

/** The flags that mean something here. */
const flagNumbers = {
  /** draft-ietf-tls-cross-sni-resumption, in NewSessionTicket. */
  resumption_across_names: 8,
} as const;
export type TlsFlag = keyof typeof flagNumbers;

export const tlsFlags = opaque(1, 2 ** 8 - 1);

/** The data of an extension with that flag alone. */
export function tlsFlagsWith(flag: TlsFlag): Uint8Array {
  const number = flagNumbers[flag];
  const flags = new Uint8Array((number >> 3) + 1);
  flags[number >> 3] = 1 << (number & 7);
  return flags;
}

/** Whether it is set; no extension has no flags. Others are for others. Throws illegal_parameter for zeros at the end. */
export function hasTlsFlag(flags: Uint8Array | undefined, flag: TlsFlag): boolean {
  if (flags === undefined) return false;
  if (flags.at(-1) === 0) throw new AlertError('illegal_parameter', 'got tls_flags that end in a byte of zero');
  const number = flagNumbers[flag];
  return ((flags[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
}
