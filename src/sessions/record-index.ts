/**
 * `RecordIndex`: finds records by their keys. Linear hashing (Litwin 1980): a table that grows by one bucket with each record, and
 * shrinks so, in pieces that are never copied. It has no moment in which everything is hashed anew, and no spare half.
 *
 * A bucket is a chain through the records themselves, of about one: the hash is keyed (keyed-hash.ts). Each link carries six bits
 * of the hash of what it leads to, because looking at a record is what takes time: it is in no cache of the processor.
 */
import { keyedHash, type HashKey } from './keyed-hash.js';
import { chained, referenceBits, type RecordReference, type RecordSlabs } from './record-slabs.js';

/** Buckets; a piece has 16 KiB. */
const pieceBits = 12;
const pieceLength = 2 ** pieceBits;

/** A reference with the highest bits of its record's hash above it, or 0. */
type TaggedReference = number;

export class RecordIndex {
  readonly #slabs: RecordSlabs;
  readonly #hash: (bytes: Uint8Array, start: number, end: number) => number;
  /** The first record of each bucket, or 0. */
  readonly #pieces: Int32Array[] = [new Int32Array(pieceLength)];
  #buckets = 1;
  /** The largest power of two that is not above the number of buckets. */
  #round = 1;
  #records = 0;

  constructor(slabs: RecordSlabs, key: HashKey) {
    this.#slabs = slabs;
    this.#hash = (bytes, start, end) => keyedHash(key, bytes, start, end);
  }

  get records(): number {
    return this.#records;
  }

  /** Bytes of all buckets. */
  get allocated(): number {
    return this.#pieces.length * pieceLength * Int32Array.BYTES_PER_ELEMENT;
  }

  hash(key: Uint8Array): number {
    return this.#hash(key, 0, key.length);
  }

  /** The record with this key and its hash, or 0. */
  find(key: Uint8Array, hash: number): RecordReference {
    let link = this.#first(this.#bucketOf(hash));
    while (link !== 0) {
      const record = referenceIn(link);
      if (tagged(record, hash) === link && this.#slabs.hasKey(record, key)) return record;
      link = this.#slabs.link(record, chained);
    }
    return 0;
  }

  /** Adds a record whose key is not there yet. */
  add(record: RecordReference, hash: number): void {
    const bucket = this.#bucketOf(hash);
    this.#slabs.setLink(record, chained, this.#first(bucket));
    this.#setFirst(bucket, tagged(record, hash));
    if (++this.#records > this.#buckets) this.#grow();
  }

  /** Takes a record out, which still stands where it stood. Two buckets with each: half of the buckets may be empty, not more. */
  remove(record: RecordReference): void {
    const hash = this.#slabs.hashOfKey(record, this.#hash);
    this.#replace(tagged(record, hash), this.#slabs.link(record, chained), hash);
    this.#records--;
    for (let i = 0; i < 2 && 2 * this.#records < this.#buckets && this.#buckets > 1; i++) this.#shrink();
  }

  /** A record has moved. */
  moved(from: RecordReference, to: RecordReference): void {
    const hash = this.#slabs.hashOfKey(to, this.#hash);
    this.#replace(tagged(from, hash), tagged(to, hash), hash);
  }

  /** What led to `from` leads to `to`. */
  #replace(from: TaggedReference, to: TaggedReference, hash: number): void {
    const bucket = this.#bucketOf(hash);
    let link = this.#first(bucket);
    if (link === from) {
      this.#setFirst(bucket, to);
      return;
    }
    for (;;) {
      const record = referenceIn(link);
      link = this.#slabs.link(record, chained);
      if (link !== from) continue;
      this.#slabs.setLink(record, chained, to);
      return;
    }
  }

  /** By the bits of the next round where that bucket is there already, by one bit less where it is not. */
  #bucketOf(hash: number): number {
    const bucket = hash & (2 * this.#round - 1);
    return bucket < this.#buckets ? bucket : bucket - this.#round;
  }

  /** The new bucket takes from one other what belongs to it now. */
  #grow(): void {
    const added = this.#buckets++;
    const divided = added - this.#round;
    if (added % pieceLength === 0) this.#pieces.push(new Int32Array(pieceLength));
    let stay: TaggedReference = 0;
    let leave: TaggedReference = 0;
    for (let link = this.#first(divided); link !== 0;) {
      const record = referenceIn(link);
      const next = this.#slabs.link(record, chained);
      const leaves = (this.#slabs.hashOfKey(record, this.#hash) & this.#round) !== 0;
      const behind = leaves ? leave : stay;
      if (next !== behind) this.#slabs.setLink(record, chained, behind);
      if (leaves) leave = link;
      else stay = link;
      link = next;
    }
    this.#setFirst(divided, stay);
    this.#setFirst(added, leave);
    if (this.#buckets === 2 * this.#round) this.#round *= 2;
  }

  /** The last bucket goes back into the one it came from. */
  #shrink(): void {
    if (this.#buckets === this.#round) this.#round /= 2;
    const removed = --this.#buckets;
    const into = removed - this.#round;
    for (let link = this.#first(removed); link !== 0;) {
      const record = referenceIn(link);
      const next = this.#slabs.link(record, chained);
      this.#slabs.setLink(record, chained, this.#first(into));
      this.#setFirst(into, link);
      link = next;
    }
    this.#setFirst(removed, 0);
    if (removed % pieceLength === 0) this.#pieces.pop();
  }

  #first(bucket: number): TaggedReference {
    return this.#pieces[bucket >>> pieceBits]?.[bucket & (pieceLength - 1)] ?? 0;
  }

  #setFirst(bucket: number, link: TaggedReference): void {
    const piece = this.#pieces[bucket >>> pieceBits];
    if (piece !== undefined) piece[bucket & (pieceLength - 1)] = link;
  }
}

const referenceMask = 2 ** referenceBits - 1;

function referenceIn(link: TaggedReference): RecordReference {
  return link & referenceMask;
}

function tagged(record: RecordReference, hash: number): TaggedReference {
  return (hash & ~referenceMask) | record;
}
