/** A session store that writes down what is asked of it, and can be copied: every test begins with the same contents. */
import { toHex } from '../../src/bytes.js';
import type { SessionStore } from '../../src/sessions/store.js';

export class RecordingStore implements SessionStore {
  /** By the hexadecimal key. */
  readonly entries: Map<string, Uint8Array>;
  readonly calls: string[] = [];
  /** `expiresAt` of each entry that was set. */
  readonly expiries: number[] = [];

  constructor(entries: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.entries = new Map(entries);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.calls.push('get');
    return this.entries.get(toHex(key))?.slice();
  }

  set(key: Uint8Array, value: Uint8Array, expiresAt = Infinity): void {
    this.calls.push('set');
    this.expiries.push(expiresAt);
    this.entries.set(toHex(key), value.slice());
  }

  delete(key: Uint8Array): void {
    this.calls.push('delete');
    this.entries.delete(toHex(key));
  }
}
