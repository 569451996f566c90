/**
 * `RecordSlabs`: many small records (a key, a value, a time, what others keep with them) packed into few large arrays, where
 * {@link RecordPlaces} finds room for them.
 *
 * A record is five words of 32 bits, the key in whole words, the value, and padding, so that there are not too many lengths. All
 * of it stands in one place, because looking there is what takes time: it is in no cache of the processor.
 */
import type { KeyedHash } from './keyed-hash.js';
import { placeOf, RecordPlaces, type RecordReference } from './record-places.js';

/** What a record is linked by: 32 bits each, signed, that belong to whoever keeps the links. */
export type Link = typeof newer | typeof older;
/** Its neighbours in the queue. */
export const newer = 3;
export const older = 4;

/** Bytes. */
export const maxRecordKeyLength = 255;
/** 47 bits hold it: milliseconds for 4,400 years. */
export const latestExpiry = 2 ** 47 - 1;

/** The expiry, its lower half. */
const expiryAt = 0;
/** From the lowest bit: the rest of the expiry (15 bits), "used", the length of the key, bytes of padding (8 bits each). */
const fieldsAt = 1;
const expiryMask = 0x7fff;
const usedFlag = 0x8000;
const keyLengthShift = 16;
const paddingShift = 24;
const hashAt = 2;
const keyAt = 5;

export class RecordSlabs {
  readonly #places = new RecordPlaces();

  /** Bytes of all slabs. */
  get allocated(): number {
    return this.#places.allocated;
  }

  /** Where a record was removed and no other one stands yet, or 0. */
  get gap(): RecordReference {
    return this.#places.gap;
  }

  /** A new record, with links that are 0. `expiry` is a whole number up to {@link latestExpiry}, the key not too long. */
  add(key: KeyedHash, hash: number, value: Uint8Array, expiry: number): RecordReference {
    const keyWords = wordsOf(key.length);
    const valueAt = keyAt + keyWords;
    const length = 4 * valueAt + value.length;
    const recordLength = roundUp(length);
    const reference = this.#places.take(recordLength >> 2);
    const { bytes, words } = this.#places.slabOf(reference);
    const at = placeOf(reference) * (recordLength >> 2);
    words[at + expiryAt] = expiry | 0;
    words[at + fieldsAt] =
      Math.floor(expiry / 2 ** 32) | (key.length << keyLengthShift) | ((recordLength - length) << paddingShift);
    words[at + hashAt] = hash;
    for (let i = 0; i < keyWords; i++) words[at + keyAt + i] = key.words[i] ?? 0;
    bytes.set(value, 4 * (at + valueAt));
    return reference;
  }

  /** Wipes a record, and leaves a gap. The one before has to be closed. */
  remove(reference: RecordReference): void {
    this.#places.remove(reference);
  }

  /** Moves another record into the gap. The answer is the reference that it had until now, 0 where nobody had to move. */
  closeGap(): RecordReference {
    return this.#places.closeGap();
  }

  /** Wipes all slabs, which are not to be used afterwards. */
  wipe(): void {
    this.#places.wipe();
  }

  /** See {@link RecordPlaces.after}. */
  after(reference: RecordReference): RecordReference {
    return this.#places.after(reference);
  }

  hasKey(reference: RecordReference, key: KeyedHash): boolean {
    const { words, recordLength } = this.#places.slabOf(reference);
    const at = placeOf(reference) * recordLength;
    if (keyLengthIn(words[at + fieldsAt]) !== key.length) return false;
    const keyWords = wordsOf(key.length);
    for (let i = 0; i < keyWords; i++) if (words[at + keyAt + i] !== key.words[i]) return false;
    return true;
  }

  hashOf(reference: RecordReference): number {
    return this.#word(reference, hashAt);
  }

  /** Bytes of key and value. */
  lengthOf(reference: RecordReference): number {
    const { recordLength } = this.#places.slabOf(reference);
    const fields = this.#word(reference, fieldsAt);
    const keyLength = keyLengthIn(fields);
    return 4 * (recordLength - keyAt - wordsOf(keyLength)) - paddingIn(fields) + keyLength;
  }

  /** A view, good until the next call of a method that changes something. */
  valueOf(reference: RecordReference): Uint8Array {
    const { bytes, words, recordLength } = this.#places.slabOf(reference);
    const at = placeOf(reference) * recordLength;
    const fields = words[at + fieldsAt] ?? 0;
    const start = 4 * (at + keyAt) + 4 * wordsOf(keyLengthIn(fields));
    return bytes.subarray(start, 4 * (at + recordLength) - paddingIn(fields));
  }

  expiryOf(reference: RecordReference): number {
    const { words, recordLength } = this.#places.slabOf(reference);
    const at = placeOf(reference) * recordLength;
    return ((words[at + expiryAt] ?? 0) >>> 0) + ((words[at + fieldsAt] ?? 0) & expiryMask) * 2 ** 32;
  }

  isUsed(reference: RecordReference): boolean {
    return (this.#word(reference, fieldsAt) & usedFlag) !== 0;
  }

  setUsed(reference: RecordReference, used: boolean): void {
    const fields = this.#word(reference, fieldsAt);
    if (((fields & usedFlag) !== 0) === used) return;
    this.#setWord(reference, fieldsAt, fields ^ usedFlag);
  }

  link(reference: RecordReference, link: Link): number {
    return this.#word(reference, link);
  }

  setLink(reference: RecordReference, link: Link, to: number): void {
    this.#setWord(reference, link, to);
  }

  #word(reference: RecordReference, index: number): number {
    const { words, recordLength } = this.#places.slabOf(reference);
    return words[placeOf(reference) * recordLength + index] ?? 0;
  }

  #setWord(reference: RecordReference, index: number, word: number): void {
    const { words, recordLength } = this.#places.slabOf(reference);
    words[placeOf(reference) * recordLength + index] = word;
  }
}

/** In steps of a thirty-second at most, so that there are few lengths of long records; padding fits into a byte. */
function roundUp(length: number): number {
  const step = 1 << Math.min(8, Math.max(2, 26 - Math.clz32(length)));
  return Math.ceil(length / step) * step;
}

function keyLengthIn(fields = 0): number {
  return (fields >>> keyLengthShift) & 0xff;
}

function paddingIn(fields: number): number {
  return fields >>> paddingShift;
}

/** Words that so many bytes are in. */
function wordsOf(length: number): number {
  return (length + 3) >> 2;
}
