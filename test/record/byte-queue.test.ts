import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import { ByteQueue } from '../../src/record/byte-queue.js';

type Step = { readonly push: Uint8Array } | { readonly take: number };

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(fc.record({ push: fc.uint8Array({ minLength: 1, maxLength: 40 }) }), fc.record({ take: fc.nat(60) })),
  { maxLength: 60 },
);

describe('ByteQueue', () => {
  it('gives back what came in, in order, and never writes over a view that it handed out', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const queue = new ByteQueue();
        let model: Uint8Array = new Uint8Array(0);
        const taken: { view: Uint8Array; copy: string }[] = [];
        for (const step of steps) {
          if ('push' in step) {
            queue.push(step.push);
            model = concat(model, step.push);
          } else {
            const view = queue.peek(step.take);
            expect(view === undefined).toBe(model.length < step.take);
            if (view === undefined) continue;
            expect(toHex(view)).toBe(toHex(model.subarray(0, step.take)));
            taken.push({ view, copy: toHex(view) });
            queue.skip(step.take);
            model = model.subarray(step.take);
          }
          expect(queue.length).toBe(model.length);
        }
        for (const { view, copy } of taken) expect(toHex(view)).toBe(copy);
      }),
      { numRuns: 300 },
    );
  });

  it('holds a lone chunk without a copy', () => {
    const queue = new ByteQueue();
    const chunk = fromHex('0102030405');
    queue.push(chunk);
    expect(queue.peek(5)?.buffer).toBe(chunk.buffer);
    queue.skip(2);
    expect(queue.peek(3)?.buffer).toBe(chunk.buffer);
  });

  it('makes no more room than is wanted', () => {
    const queue = new ByteQueue();
    queue.push(new Uint8Array(100));
    queue.push(new Uint8Array(10), 150);
    expect(queue.peek(110)?.buffer.byteLength).toBe(150);
    queue.push(new Uint8Array(40));
    expect(queue.peek(150)?.buffer.byteLength).toBe(150);
    queue.push(new Uint8Array(1), 150);
    expect(queue.length).toBe(151);
  });

  it('does not write into the chunks of its owner', () => {
    const queue = new ByteQueue();
    const roomy = new Uint8Array(64);
    queue.push(roomy.subarray(0, 4));
    queue.push(fromHex('ffffffff'));
    expect(queue.peek(8)).toEqual(fromHex('00000000ffffffff'));
    expect(toHex(roomy)).toBe('00'.repeat(64));
  });

  it('forgets everything on clear', () => {
    const queue = new ByteQueue();
    queue.push(fromHex('0102'));
    queue.clear();
    expect(queue.length).toBe(0);
    expect(queue.peek(1)).toBeUndefined();
    queue.push(fromHex('03'));
    expect(queue.peek(1)).toEqual(fromHex('03'));
  });
});
