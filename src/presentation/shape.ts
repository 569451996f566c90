/**
 * What a codec is, as data: the definition in the presentation language (RFC 8446 3), to be interpreted.
 *
 * Decoders and encoders are built beside these tables in `codec.ts`; whoever wants something else from a definition - the
 * annotated dump, a generator of test values - walks over the shape.
 */
import type { EnumerationNames } from './enumeration-names.js';

export type Shape =
  | { readonly kind: 'uint'; readonly width: 1 | 2 | 3 | 4 | 8 }
  | { readonly kind: 'enumeration'; readonly width: 1 | 2; readonly names: EnumerationNames }
  | { readonly kind: 'fixed'; readonly length: number }
  | { readonly kind: 'opaque'; readonly min: number; readonly max: number }
  | { readonly kind: 'rest'; readonly min: number; readonly max: number }
  | { readonly kind: 'constant'; readonly item: Shape; readonly value: unknown; readonly bytes: Uint8Array }
  | { readonly kind: 'vector'; readonly item: Shape; readonly min: number; readonly max: number }
  | { readonly kind: 'struct'; readonly fields: readonly NamedShape[] }
  | { readonly kind: 'optional'; readonly item: Shape }
  | {
      readonly kind: 'select';
      readonly tag: NamedShape;
      readonly body: string;
      readonly cases: ReadonlyMap<unknown, Shape>;
      /** How the body looks for other tags; without it they are refused. */
      readonly otherwise: Shape | undefined;
    }
  | {
      readonly kind: 'extensions';
      readonly types: EnumerationNames;
      /** What this message knows; data of other types is raw. */
      readonly known: ReadonlyMap<string, Shape>;
      readonly min: number;
      readonly max: number;
    }
  | {
      /** A handshake message with its header (RFC 8446 4): one byte of type, three of length, the body. */
      readonly kind: 'message';
      /** The type of the message that begins there; `undefined` for an unknown one. */
      readonly typeAt: (bytes: Uint8Array, offset: number) => string | undefined;
      readonly bodies: ReadonlyMap<string, Shape>;
    };

export interface NamedShape {
  readonly name: string;
  readonly shape: Shape;
}
