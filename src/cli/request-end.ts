/** Finds the end of a request that comes in pieces: an empty line, CR LF CR LF or LF LF. Keeps no byte of it. */

/** Longest request, bytes: whoever sends more is answered, too. */
export const maxRequestLength = 64 * 1024;

const lineFeed = 10;
const carriageReturn = 13;

export class RequestEnd {
  #length = 0;
  /** Line feeds in a row, a carriage return before a line feed aside. */
  #lineFeeds = 0;
  #found = false;

  /** Whether the request has ended, now or before. */
  push(bytes: Uint8Array): boolean {
    for (const byte of bytes) {
      if (this.#found) break;
      if (byte === lineFeed) this.#lineFeeds++;
      else if (byte !== carriageReturn) this.#lineFeeds = 0;
      this.#found = this.#lineFeeds === 2 || ++this.#length >= maxRequestLength;
    }
    return this.#found;
  }
}

/** Whether a text has an end in it. */
export function isWholeRequest(bytes: Uint8Array): boolean {
  return new RequestEnd().push(bytes);
}
