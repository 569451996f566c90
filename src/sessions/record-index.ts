/**
 * `RecordIndex`: finds records by the hashes of their keys. Extendible hashing (Fagin et al. 1979): the table is made of segments
 * of 12 KiB, and one that is full is divided in two, so that there is no moment in which everything is hashed anew.
 *
 * A segment has buckets of 15 records, in one or two lines of the processor's cache: who is looked for is found by looking there
 * and at the record. Where a bucket is full, the next one takes more, and the one that was passed by counts them; so looking ends
 * where nobody has passed by, and who leaves leaves nothing behind (F14, the hash table of Facebook's Folly).
 */
import type { KeyedHash } from './keyed-hash.js';
import { referenceBits, type RecordReference } from './record-places.js';
import type { RecordSlabs } from './record-slabs.js';

/** A reference with the highest bits of its record's hash above it; 0 is none. */
type TaggedReference = number;

/**
 * Buckets one after the other: how many records passed by, then {@link TaggedReference}s, those that are none at the end. Behind
 * them two numbers.
 */
type Segment = Int32Array;

const buckets = 192;
/** Bits of the hash that say which one it is. */
const bucketBits = 12;
const bucketMask = 2 ** bucketBits - 1;
const bucketLengthBits = 4;
const bucketLength = 2 ** bucketLengthBits;
const bucketsLength = buckets * bucketLength;
/** The records in the segment. */
const recordsAt = bucketsLength;
/** Bits of the hash that are the same in all of them; they stand above those that say in which bucket. */
const depthAt = bucketsLength + 1;
const segmentLength = bucketsLength + 2;

const capacity = buckets * (bucketLength - 1);
/** A segment with more is divided. */
const mostRecords = 0.75 * capacity;
/** All bits above those of the bucket. */
const maxDepth = 32 - bucketBits;
/** Two that had been one, and have less together, are one again. */
const fewestRecords = 0.5 * capacity;

export class RecordIndex {
  readonly #slabs: RecordSlabs;
  /** Segments by bits of the hash, as many as the deepest one has; the others stand here several times. It only grows. */
  #directory: Segment[] = [new Int32Array(segmentLength)];
  #segments = 1;
  /** What is in a segment that is divided or given up, since the first one was. */
  #entries = new Int32Array(0);
  #hashes = new Int32Array(0);
  #records = 0;

  constructor(slabs: RecordSlabs) {
    this.#slabs = slabs;
  }

  get records(): number {
    return this.#records;
  }

  /** Bytes of all segments. */
  get allocated(): number {
    return this.#segments * segmentLength * Int32Array.BYTES_PER_ELEMENT;
  }

  /** The record with this key and its hash, or 0. */
  find(key: KeyedHash, hash: number): RecordReference {
    const segment = this.#segmentOf(hash);
    let bucket = bucketOf(hash);
    for (let looked = 0; looked < buckets; looked++) {
      for (let at = bucket + 1; at < bucket + bucketLength; at++) {
        const entry = segment[at] ?? 0;
        if (!isTagged(entry, hash)) continue;
        const record = referenceIn(entry);
        if (record !== 0 && this.#slabs.hasKey(record, key)) return record;
      }
      if (segment[bucket] === 0) break;
      bucket = bucketAfter(bucket);
    }
    return 0;
  }

  /** Adds a record whose key is not there yet. */
  add(record: RecordReference, hash: number): void {
    let segment = this.#segmentOf(hash);
    while ((segment[recordsAt] ?? 0) >= mostRecords) {
      this.#divide(segment, hash);
      segment = this.#segmentOf(hash);
    }
    insert(segment, tagged(record, hash), hash);
    this.#records++;
  }

  /** Takes a record out, which still stands where it stood. */
  remove(record: RecordReference): void {
    const hash = this.#slabs.hashOf(record);
    const segment = this.#segmentOf(hash);
    remove(segment, tagged(record, hash), hash);
    this.#records--;
    if ((segment[recordsAt] ?? 0) <= fewestRecords / 2) this.#unite(segment, hash);
  }

  /** A record has moved. */
  moved(from: RecordReference, to: RecordReference): void {
    const hash = this.#slabs.hashOf(to);
    const segment = this.#segmentOf(hash);
    segment[placeOf(segment, tagged(from, hash), hash)] = tagged(to, hash);
  }

  #segmentOf(hash: number): Segment {
    const segment = this.#directory[(hash >>> bucketBits) & (this.#directory.length - 1)];
    if (segment === undefined) throw new RangeError('no segment');
    return segment;
  }

  /** Those with the next bit of the hash go into a new segment. */
  #divide(segment: Segment, hash: number): void {
    const depth = (segment[depthAt] ?? 0) + 1;
    if (depth > maxDepth) throw new RangeError(`no room for more than ${mostRecords} records with one hash`);
    const bit = 2 ** (depth - 1);
    if (bit === this.#directory.length) this.#directory = [...this.#directory, ...this.#directory];
    const added = new Int32Array(segmentLength);
    const count = this.#gather(segment);
    segment.fill(0);
    segment[depthAt] = depth;
    added[depthAt] = depth;
    for (let i = 0; i < count; i++) {
      const its = this.#hashes[i] ?? 0;
      insert(((its >>> bucketBits) & bit) === 0 ? segment : added, this.#entries[i] ?? 0, its);
    }
    this.#replace(added, ((hash >>> bucketBits) & (bit - 1)) | bit, depth);
    this.#segments++;
  }

  /** With the one it was divided from, or that was divided from it, unless that was divided since, or has too much in it. */
  #unite(segment: Segment, hash: number): void {
    const depth = segment[depthAt] ?? 0;
    if (depth === 0) return;
    const position = ((hash >>> bucketBits) & (2 ** depth - 1)) ^ (2 ** (depth - 1));
    const other = this.#directory[position];
    if (other?.[depthAt] !== depth) return;
    if ((segment[recordsAt] ?? 0) + (other[recordsAt] ?? 0) > fewestRecords) return;
    const count = this.#gather(other);
    for (let i = 0; i < count; i++) insert(segment, this.#entries[i] ?? 0, this.#hashes[i] ?? 0);
    segment[depthAt] = depth - 1;
    this.#replace(segment, position, depth);
    this.#segments--;
  }

  /** How many there are. Their hashes come all at once: so the processor waits for many records at the same time. */
  #gather(segment: Segment): number {
    if (this.#entries.length === 0) {
      this.#entries = new Int32Array(mostRecords);
      this.#hashes = new Int32Array(mostRecords);
    }
    let count = 0;
    for (let at = 0; at < bucketsLength; at++) {
      const entry = segment[at] ?? 0;
      if (entry !== 0 && at % bucketLength !== 0) this.#entries[count++] = entry;
    }
    for (let i = 0; i < count; i++) this.#hashes[i] = this.#slabs.hashOf(referenceIn(this.#entries[i] ?? 0));
    return count;
  }

  /** Wherever the lowest `depth` bits are those of `position`. */
  #replace(segment: Segment, position: number, depth: number): void {
    for (let i = position; i < this.#directory.length; i += 2 ** depth) this.#directory[i] = segment;
  }
}

function insert(segment: Segment, entry: TaggedReference, hash: number): void {
  for (let bucket = bucketOf(hash); ; bucket = bucketAfter(bucket)) {
    for (let at = bucket + 1; at < bucket + bucketLength; at++) {
      if (segment[at] !== 0) continue;
      segment[at] = entry;
      count(segment, recordsAt, 1);
      return;
    }
    count(segment, bucket, 1);
  }
}

/** The last one of its bucket takes the place. */
function remove(segment: Segment, entry: TaggedReference, hash: number): void {
  const place = placeOf(segment, entry, hash);
  const bucket = place & ~(bucketLength - 1);
  let last = bucket + bucketLength - 1;
  while (segment[last] === 0) last--;
  segment[place] = segment[last] ?? 0;
  segment[last] = 0;
  count(segment, recordsAt, -1);
  for (let passed = bucketOf(hash); passed !== bucket; passed = bucketAfter(passed)) count(segment, passed, -1);
}

function count(segment: Segment, at: number, change: number): void {
  segment[at] = (segment[at] ?? 0) + change;
}

/** Of an entry that is there. */
function placeOf(segment: Segment, entry: TaggedReference, hash: number): number {
  for (let bucket = bucketOf(hash); ; bucket = bucketAfter(bucket))
    for (let at = bucket + 1; at < bucket + bucketLength; at++) if (segment[at] === entry) return at;
}

/** Where it begins. */
function bucketOf(hash: number): number {
  return (((hash & bucketMask) * buckets) >> bucketBits) << bucketLengthBits;
}

function bucketAfter(bucket: number): number {
  const after = bucket + bucketLength;
  return after === bucketsLength ? 0 : after;
}

const referenceMask = 2 ** referenceBits - 1;

function referenceIn(entry: TaggedReference): RecordReference {
  return entry & referenceMask;
}

function tagged(record: RecordReference, hash: number): TaggedReference {
  return (hash & ~referenceMask) | record;
}

function isTagged(entry: TaggedReference, hash: number): boolean {
  return ((entry ^ hash) & ~referenceMask) === 0;
}
