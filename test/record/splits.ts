/** Ways in which a transport may cut a byte stream. */
import fc from 'fast-check';

/** `stream` in pieces, each an array of its own, as sockets deliver them. Empty pieces among them. */
export function anySplit(stream: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  return fc.array(fc.nat(stream.length), { maxLength: 12 }).map((cuts) => {
    const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
    return edges.slice(1).map((end, i) => stream.slice(edges[i], end));
  });
}

/** `stream` byte by byte. */
export function singleBytes(stream: Uint8Array): Uint8Array[] {
  return Array.from(stream, (byte) => Uint8Array.of(byte));
}
