/** `RecordQueue`: the records of {@link RecordSlabs} in the order in which they joined, by two links in each of them. */
import type { RecordReference } from './record-places.js';
import { newer, older, type RecordSlabs } from './record-slabs.js';

export class RecordQueue {
  readonly #slabs: RecordSlabs;
  #newest: RecordReference = 0;
  #oldest: RecordReference = 0;

  constructor(slabs: RecordSlabs) {
    this.#slabs = slabs;
  }

  /** The first that joined; 0 if there is none. */
  get oldest(): RecordReference {
    return this.#oldest;
  }

  add(record: RecordReference): void {
    this.#join(this.#newest, record);
    this.#join(record, 0);
  }

  /** Takes a record out, which still stands where it stood. */
  remove(record: RecordReference): void {
    this.#join(this.#slabs.link(record, older), this.#slabs.link(record, newer));
  }

  /** A record has moved to `to`. */
  moved(to: RecordReference): void {
    this.#join(this.#slabs.link(to, older), to);
    this.#join(to, this.#slabs.link(to, newer));
  }

  /** Makes neighbours of two; 0 stands for the end of the queue. */
  #join(before: RecordReference, after: RecordReference): void {
    if (before === 0) this.#oldest = after;
    else this.#slabs.setLink(before, newer, after);
    if (after === 0) this.#newest = before;
    else this.#slabs.setLink(after, older, before);
  }
}
