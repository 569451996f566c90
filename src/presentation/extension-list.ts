/**
 * `Extension extensions<min..max>` (RFC 8446 4.2): an ordered list of types with data.
 *
 * Which data is decoded depends on the message: what the table of a message knows comes out typed, everything else raw
 * and in its place, GREASE included. No type may stand twice.
 */
import type { AlertDescription } from '../alert.js';
import { DecodeError } from '../errors.js';
import { type Codec, defineCodec, type Infer, within } from './codec.js';
import { type EnumerationNames, lookUp, numberOf, pages } from './enumeration-names.js';
import { notEncodable, prefixWidth } from './writer.js';

/** The codecs of the extensions that a message knows, by name. */
export type ExtensionCodecs = Readonly<Record<string, Codec<unknown>>>;

/** One extension of a message that knows the codecs `C`; `T` are all types, named and not. */
export type ExtensionOf<C extends ExtensionCodecs, T extends string | number> =
  | { readonly [K in keyof C & string]: { readonly type: K; readonly data: Infer<C[K]> } }[keyof C & string]
  | { readonly type: Exclude<T, keyof C>; readonly data: Uint8Array };

interface RawExtension {
  readonly type: string | number;
  readonly data: unknown;
}

/** What is known of a type by its number. */
interface KnownType {
  readonly type: string;
  readonly codec: Codec<unknown> | undefined;
  /** Says in a mask that the type was there; 0 for types without a codec, and where 32 bits are used up. */
  readonly bit: number;
}

/** `codecs` by the names of `types`. Data that is a codec's has to end where the codec ends. */
export function extensionVector<C extends ExtensionCodecs, T extends string | number>(
  types: Codec<T> & { readonly names: EnumerationNames },
  codecs: C,
  min: number,
  max: number,
  /** RFC 8446 4.2 forbids a second extension of a type and names no alert. */
  alertOfDuplicate: AlertDescription = 'decode_error',
): Codec<readonly ExtensionOf<C, T>[]> {
  const width = prefixWidth(max);
  const { names } = types;
  const known = new Map<unknown, Codec<unknown>>(Object.entries(codecs));
  const order = [...known.keys()];
  const table = pages<KnownType | undefined>(
    [...names.numbers].map(([type, number]) => {
      const index = order.indexOf(type);
      return [{ type, codec: known.get(type), bit: index < 0 || index > 31 ? 0 : 1 << index }, number];
    }),
    () => undefined,
  );

  return defineCodec<readonly ExtensionOf<C, T>[]>(
    {
      kind: 'extensions',
      types: names,
      known: new Map(Object.entries(codecs).map(([name, codec]) => [name, codec.shape])),
      min,
      max,
    },
    (reader) => {
      const outer = reader.open(width, min, max);
      const extensions: RawExtension[] = [];
      let seen = 0;
      let seenOthers: Set<number> | undefined;
      let step: string | number | undefined;
      try {
        while (reader.offset < reader.end) {
          step = undefined;
          const at = reader.offset;
          const number = reader.uint16();
          const entry = lookUp(table, number);
          const type = entry === undefined ? number : entry.type;
          step = type;
          const bit = entry === undefined ? 0 : entry.bit;
          const isSecond = bit === 0 ? seenOthers?.has(number) : (seen & bit) !== 0;
          if (bit === 0) (seenOthers ??= new Set()).add(number);
          seen |= bit;
          if (isSecond)
            throw new DecodeError('duplicate_extension', at, `got a second ${type}, expected one`, alertOfDuplicate);
          const block = reader.open(2, 0, 0xffff);
          const codec = entry?.codec;
          const data = codec === undefined ? reader.view(reader.end - reader.offset) : codec.read(reader);
          reader.close(block);
          extensions.push({ type, data });
        }
      } catch (error) {
        if (step !== undefined) within(error, String(step));
        throw within(error, extensions.length);
      }
      reader.end = outer;
      return extensions;
    },
    (writer, extensions: readonly RawExtension[]) => {
      const list = writer.open(width);
      for (const { type, data } of extensions) {
        writer.uint16(numberOf(names, type));
        const block = writer.open(2);
        const codec = known.get(type);
        if (codec !== undefined) codec.write(writer, data);
        else if (data instanceof Uint8Array) writer.bytes(data);
        else throw notEncodable(`got no bytes for ${type}, whose data is raw here`);
        writer.close(block, 2, 0, 0xffff);
      }
      writer.close(list, width, min, max);
    },
  );
}
