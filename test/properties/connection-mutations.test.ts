/** Connections under bytes that nobody should send. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, join } from '../../src/bytes.js';
import { drain, driverNames, eventsOf, makePair, type End } from '../support/connections.js';
import { otherSide, Replay, sides } from '../support/replay.js';
import { agreement, anyCuts, anyFlow, anySide, cutAt, recordsOf, streamTo } from './connection-streams.js';

/** What somebody on the wire may do to a stream. */
type Mutation = (stream: Uint8Array) => Uint8Array;

const anyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, mask]): Mutation => (stream) => {
    const changed = stream.slice();
    if (changed.length > 0) changed[at % changed.length]! ^= mask;
    return changed;
  }),
  fc.nat().map(
    (at): Mutation =>
      (stream) =>
        stream.subarray(0, at % (stream.length + 1)),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 40 })).map(([at, extra]): Mutation => (stream) => {
    const [before = stream, after = extra] = cutAt(stream, [at]);
    return join([before, extra, after]);
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([from, to]): Mutation => (stream) => {
    const [before = stream, dropped = stream, after = stream] = cutAt(stream, [from, to]);
    return join([before, after, dropped]);
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([one, other]): Mutation => (stream) => {
    const records = recordsOf(stream);
    if (records.length === 0) return stream;
    const [i, j] = [one % records.length, other % records.length];
    const moved = records.slice();
    [moved[i], moved[j]] = [records[j]!, records[i]!];
    return join(moved);
  }),
  fc.nat().map((which): Mutation => (stream) => {
    const records = recordsOf(stream);
    return records.length === 0 ? stream : join([...records, records[which % records.length]!]);
  }),
);
const anyMutations = fc.array(anyMutation, { minLength: 1, maxLength: 3 });

/** Whatever happened: told once, said once, and silent for ever after. */
function expectOrderly({ connection, events }: End): void {
  const closes = events.filter(({ type }) => type === 'close');
  expect(closes.length).toBe(connection.state === 'closed' ? 1 : 0);
  if (closes.length > 0) expect(events.at(-1)?.type).toBe('close');
  expect(events.filter(({ type }) => type === 'handshake').length).toBeLessThanOrEqual(1);
  connection.takeOutput();
  connection.takeEvents();
  if (connection.state !== 'closed') return;
  connection.receive(ascii('more'));
  connection.receiveEnd();
  expect([connection.takeOutput().length, connection.takeEvents()]).toEqual([0, []]);
}

describe('mutated transcripts', () => {
  it('spoken to one side: it never throws, and closes once at most', () => {
    fc.assert(
      fc.property(anyFlow, anySide, anyMutations, anyCuts, (flow, target, mutations, cuts) => {
        const mutated = mutations.reduce((stream, mutate) => mutate(stream), streamTo(flow, target));
        const { end } = cutAt(mutated, cuts).reduce(
          (replay, chunk) => replay.sendBytes(chunk),
          new Replay(flow, target),
        );
        expectOrderly(end);
      }),
      { numRuns: 1000 },
    );
  });

  it('between two sides: they end, orderly, and never agree on different things', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyFlow,
        fc.constantFrom(...driverNames),
        anySide,
        fc.nat({ max: 3 }),
        anyMutations,
        async (flow, driver, from, flight, mutations) => {
          const pair = makePair(flow.client(), flow.server(), { driver });
          const turns = { client: 0, server: 0 };
          for (let turn = 0; turn < 40; turn++) {
            for (const side of sides) {
              const bytes = drain(pair[side]);
              const touched = side === from && turns[side] === flight && bytes.length > 0;
              if (bytes.length > 0) turns[side]++;
              const passed = touched ? mutations.reduce((stream, mutate) => mutate(stream), bytes) : bytes;
              pair[otherSide(side)].connection.receive(passed);
              drain(pair[otherSide(side)]);
            }
            if (driver === 'promises') await new Promise(setImmediate);
          }
          agreement(pair);
          expectOrderly(pair.client);
          expectOrderly(pair.server);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('any bytes at all, at any time', () => {
    fc.assert(
      fc.property(
        anyFlow,
        anySide,
        fc.nat(),
        fc.array(fc.uint8Array({ maxLength: 60 })),
        (flow, target, at, chunks) => {
          const stream = streamTo(flow, target);
          const replay = new Replay(flow, target).sendBytes(stream.subarray(0, at % (stream.length + 1)));
          for (const chunk of chunks) replay.sendBytes(chunk);
          expectOrderly(replay.end);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a flipped bit of a message that the transcript covers keeps both from opening', () => {
    fc.assert(
      fc.property(anyFlow, anySide, fc.nat(), (flow, from, position) => {
        const pair = makePair(flow.client(), flow.server());
        let touched = false;
        for (let turn = 0; turn < 6; turn++) {
          for (const side of sides) {
            const bytes = drain(pair[side]).slice();
            // Bytes 5 and on: record headers are covered by nothing, and say nothing but type and length.
            if (side === from && !touched && bytes.length > 5) {
              const bit = position % ((bytes.length - 5) * 8);
              const covered = bytes[0] === 22 && bytes.length - 5 === bytes[3]! * 0x100 + bytes[4]!;
              if (!covered) return;
              bytes[5 + (bit >> 3)]! ^= 1 << (bit & 7);
              touched = true;
            }
            pair[otherSide(side)].connection.receive(bytes);
          }
        }
        drain(pair.client);
        drain(pair.server);
        expect(touched).toBe(true);
        const opened = sides.filter((side) => eventsOf(pair[side], 'handshake').length > 0);
        expect(opened).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
