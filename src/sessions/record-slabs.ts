/**
 * `RecordSlabs`: many small records (a key, a value, a time, three links) packed into few large arrays.
 *
 * A slab holds records of one length, rounded up a little. The slabs of one length have no gap in them and are full but for the
 * last: where a record has left, the next one of its length goes, or else the last one moves in. So nothing is fragmented,
 * whatever comes and goes, and memory that is not used is given back.
 *
 * The surprising thing: the reference of a record changes when it moves, and whoever holds references is told so by `closeGap`.
 */

/** Number of the slab and place in it, 26 bits together. Slabs are numbered from 1, so that 0 is nobody. */
export type RecordReference = number;

/** What a record is linked by: 32 bits each, signed, that belong to whoever keeps the links. */
export type Link = typeof chained | typeof newer | typeof older;
/** The next one in the same bucket of the index. */
export const chained = 0;
/** Its neighbours in the queue. */
export const newer = 4;
export const older = 8;

/** Bits of a {@link RecordReference}. */
export const referenceBits = 26;
/** Bytes. */
export const maxRecordKeyLength = 255;
/** 47 bits hold it: milliseconds for 4,400 years. */
export const latestExpiry = 2 ** 47 - 1;

/** Bytes of a slab, unless one record is longer. */
const slabLength = 2 ** 18;
const placeBits = 10;
const placesPerSlab = 2 ** placeBits;
/** Of 256 KiB each, which is 16 GiB. */
const maxSlabs = 2 ** (referenceBits - placeBits) - 1;
/** The first slab of a length begins with so many places, and doubles. */
const firstPlaces = 4;

/** A record: expiry (47 bits, and one for "used"), length of the key, bytes of padding; key, value, padding. */
const expiryAt = 0;
const keyLengthAt = 6;
const paddingAt = 7;
const keyAt = 8;
const usedFlag = 0x8000;
/** The links stand behind all records of the slab: walking along them, one meets twenty in the room of one record. */
const linksLength = 12;

/** All slabs of one length. */
interface RecordClass {
  readonly recordLength: number;
  /** In each slab but the first, which may still be growing. */
  readonly places: number;
  readonly slabs: Slab[];
  /** A gap counts as well. */
  records: number;
}

interface Slab {
  readonly number: number;
  /** Which one of its class. */
  readonly index: number;
  readonly recordClass: RecordClass;
  readonly recordLength: number;
  places: number;
  linksAt: number;
  bytes: Uint8Array;
  view: DataView;
}

export class RecordSlabs {
  /** By number; the first is nobody's. */
  readonly #slabs: (Slab | undefined)[] = [undefined];
  readonly #freeNumbers: number[] = [];
  readonly #classes = new Map<number, RecordClass>();
  #gap: RecordReference = 0;
  #allocated = 0;

  /** Bytes of all slabs. */
  get allocated(): number {
    return this.#allocated;
  }

  /** Where a record was removed and no other one stands yet, or 0. */
  get gap(): RecordReference {
    return this.#gap;
  }

  /** A new record, with links that are 0. `expiry` is a whole number up to {@link latestExpiry}, the key not too long. */
  add(key: Uint8Array, value: Uint8Array, expiry: number): RecordReference {
    const length = keyAt + key.length + value.length;
    const recordLength = roundUp(length);
    const reference = this.#takePlace(recordLength);
    const { bytes, view } = this.#slabOf(reference);
    const start = placeOf(reference) * recordLength;
    view.setUint32(start + expiryAt, expiry % 2 ** 32, true);
    view.setUint16(start + expiryAt + 4, expiry / 2 ** 32, true);
    view.setUint8(start + keyLengthAt, key.length);
    view.setUint8(start + paddingAt, recordLength - length);
    bytes.set(key, start + keyAt);
    bytes.set(value, start + keyAt + key.length);
    return reference;
  }

  /** Wipes a record, and leaves a gap. The one before has to be closed. */
  remove(reference: RecordReference): void {
    const slab = this.#slabOf(reference);
    const { recordClass } = slab;
    wipe(slab, placeOf(reference));
    if (recordClass.records > 1) this.#gap = reference;
    else this.#giveBack(recordClass, 0);
  }

  /** Moves another record into the gap. The answer is the reference that it had until now, 0 where nobody had to move. */
  closeGap(): RecordReference {
    const gap = this.#gap;
    if (gap === 0) return 0;
    this.#gap = 0;
    const target = this.#slabOf(gap);
    const { recordClass } = target;
    const last = placeAt(recordClass, recordClass.records - 1);
    if (last !== gap) {
      const source = this.#slabOf(last);
      copy(source, placeOf(last), target, placeOf(gap));
      wipe(source, placeOf(last));
    }
    this.#giveBack(recordClass, recordClass.records - 1);
    return last === gap ? 0 : last;
  }

  /** Wipes all slabs, which are not to be used afterwards. */
  wipe(): void {
    for (const slab of this.#slabs) slab?.bytes.fill(0);
  }

  hasKey(reference: RecordReference, key: Uint8Array): boolean {
    const { bytes, view, recordLength } = this.#slabOf(reference);
    const start = placeOf(reference) * recordLength;
    if (view.getUint8(start + keyLengthAt) !== key.length) return false;
    for (let i = 0; i < key.length; i++) if (bytes[start + keyAt + i] !== key[i]) return false;
    return true;
  }

  /** What `hash` makes of the key. */
  hashOfKey(reference: RecordReference, hash: (bytes: Uint8Array, start: number, end: number) => number): number {
    const { bytes, view, recordLength } = this.#slabOf(reference);
    const start = placeOf(reference) * recordLength;
    return hash(bytes, start + keyAt, start + keyAt + view.getUint8(start + keyLengthAt));
  }

  /** Bytes of key and value. */
  lengthOf(reference: RecordReference): number {
    const { view, recordLength } = this.#slabOf(reference);
    return recordLength - keyAt - view.getUint8(placeOf(reference) * recordLength + paddingAt);
  }

  /** A view, good until the next call of a method that changes something. */
  valueOf(reference: RecordReference): Uint8Array {
    const { bytes, view, recordLength } = this.#slabOf(reference);
    const start = placeOf(reference) * recordLength;
    const keyLength = view.getUint8(start + keyLengthAt);
    return bytes.subarray(start + keyAt + keyLength, start + recordLength - view.getUint8(start + paddingAt));
  }

  expiryOf(reference: RecordReference): number {
    const { view, recordLength } = this.#slabOf(reference);
    const at = placeOf(reference) * recordLength + expiryAt;
    return view.getUint32(at, true) + (view.getUint16(at + 4, true) & ~usedFlag) * 2 ** 32;
  }

  isUsed(reference: RecordReference): boolean {
    const { view, recordLength } = this.#slabOf(reference);
    return (view.getUint16(placeOf(reference) * recordLength + expiryAt + 4, true) & usedFlag) !== 0;
  }

  setUsed(reference: RecordReference, used: boolean): void {
    const { view, recordLength } = this.#slabOf(reference);
    const at = placeOf(reference) * recordLength + expiryAt + 4;
    const before = view.getUint16(at, true);
    view.setUint16(at, used ? before | usedFlag : before & ~usedFlag, true);
  }

  link(reference: RecordReference, link: Link): number {
    const { view, linksAt } = this.#slabOf(reference);
    return view.getInt32(linksAt + placeOf(reference) * linksLength + link, true);
  }

  setLink(reference: RecordReference, link: Link, to: number): void {
    const { view, linksAt } = this.#slabOf(reference);
    view.setInt32(linksAt + placeOf(reference) * linksLength + link, to, true);
  }

  /**
   * The record that stands after this one, or after the place where this one was, round and round; 0 if there is none. Whoever
   * goes on from answer to answer comes by all that stay where they are.
   */
  after(reference: RecordReference): RecordReference {
    let number = reference >>> placeBits;
    let place = placeOf(reference) + 1;
    // Once around, and once more for a gap.
    for (let looked = 0; looked <= this.#slabs.length + 1; looked++) {
      const slab = this.#slabs[number];
      if (slab !== undefined && number * placesPerSlab + place === this.#gap) place++;
      if (slab !== undefined && place < recordsIn(slab)) return number * placesPerSlab + place;
      number = number + 1 < this.#slabs.length ? number + 1 : 1;
      place = 0;
    }
    return 0;
  }

  #slabOf(reference: RecordReference): Slab {
    const slab = this.#slabs[reference >>> placeBits];
    if (slab === undefined) throw new RangeError(`no record ${reference}`);
    return slab;
  }

  #takePlace(recordLength: number): RecordReference {
    const recordClass = this.#classes.get(recordLength) ?? this.#newClass(recordLength);
    const gap = this.#gap;
    if (gap !== 0 && this.#slabOf(gap).recordClass === recordClass) {
      this.#gap = 0;
      return gap;
    }
    const { places, slabs, records } = recordClass;
    const [first] = slabs;
    if (first === undefined) this.#addSlab(recordClass, Math.min(firstPlaces, places));
    else if (records === first.places && records < places) this.#enlarge(first, Math.min(2 * records, places));
    else if (records === slabs.length * places) this.#addSlab(recordClass, places);
    return placeAt(recordClass, recordClass.records++);
  }

  #newClass(recordLength: number): RecordClass {
    const places = Math.min(placesPerSlab, Math.max(1, Math.floor(slabLength / (recordLength + linksLength))));
    const recordClass = { recordLength, places, slabs: [], records: 0 };
    this.#classes.set(recordLength, recordClass);
    return recordClass;
  }

  #addSlab(recordClass: RecordClass, places: number): void {
    const number = this.#freeNumbers.pop() ?? this.#slabs.length;
    if (number > maxSlabs) throw new RangeError(`no room for more than ${maxSlabs} slabs`);
    const { recordLength, slabs } = recordClass;
    const slab = { number, index: slabs.length, recordClass, recordLength, ...memory(recordLength, places) };
    slabs.push(slab);
    this.#slabs[number] = slab;
    this.#allocated += slab.bytes.length;
  }

  #enlarge(slab: Slab, places: number): void {
    const { bytes, linksAt, recordLength } = slab;
    const larger = memory(recordLength, places);
    larger.bytes.set(bytes.subarray(0, linksAt));
    larger.bytes.set(bytes.subarray(linksAt), larger.linksAt);
    bytes.fill(0);
    this.#allocated += larger.bytes.length - bytes.length;
    Object.assign(slab, larger);
  }

  /** One empty slab is kept, so that records that come and go at the edge of a slab do not make and drop one each time. */
  #giveBack(recordClass: RecordClass, records: number): void {
    const { recordLength, places, slabs } = recordClass;
    recordClass.records = records;
    const kept = records === 0 ? 0 : Math.ceil(records / places) + 1;
    for (let slab = slabs[kept]; slab !== undefined; slab = slabs[kept]) {
      slabs.pop();
      this.#slabs[slab.number] = undefined;
      this.#freeNumbers.push(slab.number);
      this.#allocated -= slab.bytes.length;
    }
    if (records === 0) this.#classes.delete(recordLength);
  }
}

/** In steps of a thirty-second at most, so that there are few lengths of long records; padding fits into a byte. */
function roundUp(length: number): number {
  const step = 2 ** Math.min(8, Math.max(2, 26 - Math.clz32(length)));
  return Math.ceil(length / step) * step;
}

function placeOf(reference: RecordReference): number {
  return reference & (placesPerSlab - 1);
}

/** Where the `position`th of all records of a class is. */
function placeAt({ places, slabs }: RecordClass, position: number): RecordReference {
  const slab = slabs[Math.floor(position / places)];
  if (slab === undefined) throw new RangeError(`no place ${position}`);
  return slab.number * placesPerSlab + (position % places);
}

function recordsIn({ index, recordClass: { records, places } }: Slab): number {
  return Math.min(places, records - index * places);
}

function memory(recordLength: number, places: number): Pick<Slab, 'places' | 'linksAt' | 'bytes' | 'view'> {
  const bytes = new Uint8Array(places * (recordLength + linksLength));
  return { places, linksAt: places * recordLength, bytes, view: new DataView(bytes.buffer) };
}

/** Within one class. */
function copy(source: Slab, from: number, target: Slab, to: number): void {
  const { recordLength } = source;
  const [record, links] = [from * recordLength, source.linksAt + from * linksLength];
  target.bytes.set(source.bytes.subarray(record, record + recordLength), to * recordLength);
  target.bytes.set(source.bytes.subarray(links, links + linksLength), target.linksAt + to * linksLength);
}

function wipe({ bytes, recordLength, linksAt }: Slab, place: number): void {
  bytes.fill(0, place * recordLength, (place + 1) * recordLength);
  bytes.fill(0, linksAt + place * linksLength, linksAt + (place + 1) * linksLength);
}
