/** Whoever wants to hear what happens to the keys of a ring. */
import type { KeyRingEvent } from './key-ring-options.js';

export type KeyRingListener = (event: KeyRingEvent) => void;

export class KeyRingListeners {
  readonly #listeners = new Set<KeyRingListener>();

  /** Answers how to end it. */
  add(listener: KeyRingListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: KeyRingEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // A listener that fails must not keep a server from sealing and opening.
      }
    }
  }
}
