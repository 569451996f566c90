/**
 * `TicketSpace`: where tickets that are sealed get their bytes. Tickets of usual size are cut from slabs, because an array of its own
 * costs ten times a view. The surprising thing: whoever keeps one ticket keeps the slab, which is four tickets at the least.
 */
const slabLength = 4096;
const longestCut = slabLength / 4;

export class TicketSpace {
  #slab = new Uint8Array(0);

  /** `length` bytes of zeros that nobody else has. */
  allocate(length: number): Uint8Array {
    if (length > longestCut) return new Uint8Array(length);
    if (length > this.#slab.length) this.#slab = new Uint8Array(slabLength);
    const bytes = this.#slab.subarray(0, length);
    this.#slab = this.#slab.subarray(length);
    return bytes;
  }
}
