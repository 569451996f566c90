/**
 * `RecordPlaces`: where the records of {@link RecordSlabs} stand: many of one length in each of a few large arrays.
 *
 * A slab holds records of one length. The slabs of one length have no gap in them and are full but for the last: where a record
 * has left, the next one of its length goes, or else the last one moves in. So nothing is fragmented, whatever comes and goes, and
 * memory that is not used is given back.
 *
 * The surprising thing: the reference of a record changes when it moves, and whoever holds references is told so by `closeGap`.
 */

/** Number of the slab and place in it, 26 bits together. Slabs are numbered from 1, so that 0 is nobody. */
export type RecordReference = number;

/** Bits of a {@link RecordReference}. */
export const referenceBits = 26;

/** Words of 32 bits in a slab, unless one record is longer. */
const slabLength = 2 ** 18;
const placeBits = 12;
const placesPerSlab = 2 ** placeBits;
/** Of 1 MiB each, which is 16 GiB. */
const maxSlabs = 2 ** (referenceBits - placeBits) - 1;
/** The first slab of a length begins with so many places, and doubles. */
const firstPlaces = 4;

/** All slabs of one length. */
interface RecordClass {
  /** Words. */
  readonly recordLength: number;
  /** In each slab but the first, which may still be growing. */
  readonly places: number;
  readonly slabs: Slab[];
  /** A gap counts as well. */
  records: number;
}

export interface Slab {
  readonly number: number;
  /** Which one of its class. */
  readonly index: number;
  readonly recordClass: RecordClass;
  /** Words. */
  readonly recordLength: number;
  places: number;
  /** The same memory twice. */
  bytes: Uint8Array;
  words: Int32Array;
}

export class RecordPlaces {
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

  slabOf(reference: RecordReference): Slab {
    const slab = this.#slabs[reference >>> placeBits];
    if (slab === undefined) throw new RangeError(`no record ${reference}`);
    return slab;
  }

  /** A place for a record of so many words, all of them 0. */
  take(recordLength: number): RecordReference {
    const gap = this.#gap;
    if (gap !== 0 && this.slabOf(gap).recordLength === recordLength) {
      this.#gap = 0;
      return gap;
    }
    const recordClass = this.#classes.get(recordLength) ?? this.#newClass(recordLength);
    const { places, slabs, records } = recordClass;
    const [first] = slabs;
    if (first === undefined) this.#addSlab(recordClass, Math.min(firstPlaces, places));
    else if (records === first.places && records < places) this.#enlarge(first, Math.min(2 * records, places));
    else if (records === slabs.length * places) this.#addSlab(recordClass, places);
    return placeAt(recordClass, recordClass.records++);
  }

  /** Wipes a record, and leaves a gap. The one before has to be closed. */
  remove(reference: RecordReference): void {
    const slab = this.slabOf(reference);
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
    const target = this.slabOf(gap);
    const { recordClass, recordLength } = target;
    const last = placeAt(recordClass, recordClass.records - 1);
    if (last !== gap) {
      const source = this.slabOf(last);
      const from = placeOf(last) * recordLength;
      target.words.set(source.words.subarray(from, from + recordLength), placeOf(gap) * recordLength);
      wipe(source, placeOf(last));
    }
    this.#giveBack(recordClass, recordClass.records - 1);
    return last === gap ? 0 : last;
  }

  /** Wipes all slabs, which are not to be used afterwards. */
  wipe(): void {
    for (const slab of this.#slabs) slab?.words.fill(0);
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

  #newClass(recordLength: number): RecordClass {
    const places = Math.min(placesPerSlab, Math.max(1, Math.floor(slabLength / recordLength)));
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
    const { words, recordLength } = slab;
    const larger = memory(recordLength, places);
    larger.words.set(words);
    words.fill(0);
    this.#allocated += larger.words.byteLength - words.byteLength;
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

/** Which place of its slab. */
export function placeOf(reference: RecordReference): number {
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

function memory(recordLength: number, places: number): Pick<Slab, 'places' | 'bytes' | 'words'> {
  const bytes = new Uint8Array(places * recordLength * Int32Array.BYTES_PER_ELEMENT);
  return { places, bytes, words: new Int32Array(bytes.buffer) };
}

function wipe({ words, recordLength }: Slab, place: number): void {
  words.fill(0, place * recordLength, (place + 1) * recordLength);
}
