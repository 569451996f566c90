/** A narrow door to asn1js (X.690): whatever is not as expected throws. */
import { Constructed, fromBER, OctetString, Primitive } from 'asn1js';

export type Asn1 = ReturnType<typeof fromBER>['result'];

/** Bytes that do not follow RFC 5280. */
export function fail(what: string): never {
  throw new Error(`got ${what}`);
}

/** Values in one certificate, which bounds what reading it costs: some 10 microseconds each. A usual one has 100 to 300. */
export const maxAsn1Values = 2_000;

/** One value, which takes up all the bytes. */
export function parse(bytes: Uint8Array): Asn1 {
  const { offset, result } = fromBER(bytes, { parseEmbedded: false, maxNodes: maxAsn1Values });
  return offset === bytes.length ? result : fail('bytes that are not one ASN.1 value');
}

/** Members of a SEQUENCE, SET or constructed tag; none of one that is left out. */
export function items(value: Asn1 | undefined): readonly Asn1[] {
  if (value === undefined) return [];
  return value instanceof Constructed
    ? value.valueBlock.value
    : fail('a primitive value where a constructed one belongs');
}

/** The number of a context-specific tag. */
export function contextTag(value: Asn1): number | undefined {
  return value.idBlock.tagClass === 3 ? value.idBlock.tagNumber : undefined;
}

export function octets(value: Asn1 | undefined): Uint8Array {
  if (value instanceof OctetString && !value.idBlock.isConstructed) return value.valueBlock.valueHexView;
  return fail('something where an OCTET STRING belongs');
}

/** Content of a primitive value with an implicit tag. */
export function content(value: Asn1): Uint8Array {
  return value instanceof Primitive
    ? value.valueBlock.valueHexView
    : fail('a constructed value where a primitive one belongs');
}

/** The value as it was encoded, tag and length included. */
export function rawBytes(value: Asn1 | undefined): Buffer {
  return value === undefined ? fail('too few fields') : Buffer.from(value.valueBeforeDecodeView);
}
