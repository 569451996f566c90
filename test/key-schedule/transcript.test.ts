import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, join, toHex } from '../../src/bytes.js';
import { UsageError } from '../../src/errors.js';
import { Transcript } from '../../src/key-schedule/transcript.js';
import { backends } from '../tickets/backends.js';

describe.each(backends)('Transcript ($name)', (crypto) => {
  const one = fromHex('0100000161');
  const two = fromHex('0200000162');

  it('hashes what came before its hash was known, and what comes after', () => {
    const transcript = new Transcript(crypto);
    transcript.add(one);
    transcript.start('sha256');
    expect(toHex(transcript.digest())).toBe(toHex(crypto.hash('sha256', one)));
    transcript.add(two);
    expect(toHex(transcript.digest())).toBe(toHex(crypto.hash('sha256', concat(one, two))));
  });

  it('a digest is a snapshot: asking twice changes nothing, and earlier answers stay', () => {
    const transcript = new Transcript(crypto);
    transcript.start('sha384');
    transcript.add(one);
    const early = transcript.digest();
    expect(toHex(transcript.digest())).toBe(toHex(early));
    transcript.add(two);
    transcript.digest();
    expect(toHex(early)).toBe(toHex(crypto.hash('sha384', one)));
  });

  it('R5246-7.4.9-4 any messages, whenever the hash became known, hash like their concatenation', () => {
    const messages = fc.array(fc.uint8Array({ minLength: 4, maxLength: 700 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom('sha256', 'sha384'), messages, fc.nat(8), (hash, all, before) => {
        const transcript = new Transcript(crypto);
        all.slice(0, before).forEach((message) => transcript.add(message));
        transcript.start(hash);
        all.slice(before).forEach((message, i) => {
          transcript.add(message);
          const soFar = join(all.slice(0, before + i + 1));
          expect(toHex(transcript.digest())).toBe(toHex(crypto.hash(hash, soFar)));
        });
        expect(toHex(transcript.digest())).toBe(toHex(crypto.hash(hash, join(all))));
        expect(toHex(transcript.messages())).toBe(toHex(join(all)));
      }),
      { numRuns: 50 },
    );
  });

  it('the messages themselves are at hand until they are released; the hash goes on', () => {
    const transcript = new Transcript(crypto);
    transcript.add(one);
    transcript.start('sha256');
    transcript.add(two);
    expect(toHex(transcript.messages())).toBe(toHex(concat(one, two)));
    transcript.release();
    expect(toHex(transcript.messages())).toBe('');
    transcript.add(one);
    expect(toHex(transcript.digest())).toBe(toHex(crypto.hash('sha256', concat(one, two, one))));
  });

  it('has no digest before its hash is chosen', () => {
    const transcript = new Transcript(crypto);
    transcript.add(one);
    expect(() => transcript.digest()).toThrow(UsageError);
  });
});
