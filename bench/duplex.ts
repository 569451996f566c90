/** Two ends of a pipe in memory, as streams: what `node:tls` needs in place of a socket, and what a shell around our core reads. */
import { Duplex } from 'node:stream';

export function duplexPair(): [Duplex, Duplex] {
  const a = new PipeEnd();
  const b = new PipeEnd();
  a.other = b;
  b.other = a;
  return [a, b];
}

class PipeEnd extends Duplex {
  other: Duplex | undefined;

  override _read(): void {
    // The other end pushes.
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.other?.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}
