/** However the transport or the record layer cuts or joins what a peer says, the same is answered and told. */
import { describe, expect, it } from 'vitest';
import { concat, join, toHex } from '../../src/bytes.js';
import { contentTypes } from '../../src/parameters.js';
import { maxPlaintextLength } from '../../src/record/deframer.js';
import { flows, itemsFrom, otherSide, record, Replay, sides, type Recording } from '../support/replay.js';
import { stride } from '../support/thorough.js';
import type { Item, Side } from '../support/traffic.js';

const recordings = Object.values(flows).map(record);
const cases = recordings.flatMap((recording) =>
  sides.map((target) => [recording.flow.name, target, recording] as const),
);

/** All that one side sent, as one stream. */
const streamFrom = ({ segments }: Recording, side: Side) =>
  join(segments.filter(({ from }) => from === side).map(({ bytes }) => bytes));

/** What the target says, as text, and what it tells. */
function outcome(recording: Recording, target: Side, speak: (replay: Replay) => void) {
  const replay = new Replay(recording.flow, target);
  speak(replay);
  return {
    said: replay.said().map(({ contentType, bytes }) => `${contentType} ${toHex(bytes)}`),
    events: replay.events(),
    state: replay.end.connection.state,
  };
}

describe.each(cases)('%s: the %s', (_, target, recording) => {
  const incoming = itemsFrom(recording, otherSide(target));
  const stream = streamFrom(recording, otherSide(target));
  const whole = outcome(recording, target, (replay) => replay.sendBytes(stream));

  it('all at once', () => {
    expect(whole.said).toEqual(
      itemsFrom(recording, target).map(({ contentType, bytes }) => `${contentType} ${toHex(bytes)}`),
    );
    expect(whole.events).toEqual(recording.ends[target].events);
    expect(whole.state).toBe('open');
  });

  it('byte by byte', () => {
    const bytewise = outcome(recording, target, (replay) => {
      for (let i = 0; i < stream.length; i++) replay.sendBytes(stream.subarray(i, i + 1));
    });
    expect(bytewise).toEqual(whole);
  });

  it('in records of one byte', () => {
    const inCrumbs = outcome(recording, target, (replay) => {
      for (const item of incoming) {
        if (item.contentType !== contentTypes.handshake) replay.send(item);
        else for (let i = 0; i < item.bytes.length; i++) replay.send({ ...item, bytes: item.bytes.subarray(i, i + 1) });
      }
    });
    expect(inCrumbs).toEqual(whole);
  });

  it('in as few records as can be, and in one for each message', () => {
    expect(outcome(recording, target, (replay) => replay.send(...coalesced(incoming)))).toEqual(whole);
    expect(outcome(recording, target, (replay) => replay.send(...incoming))).toEqual(whole);
  });
});

describe.each([
  [flows.mutual, 'client'],
  [flows.mutual, 'server'],
  [flows.renewed, 'client'],
  [flows.renewed, 'server'],
] as const)('$name: the %s', (flow, target) => {
  const recording = record(flow);
  const incoming = itemsFrom(recording, otherSide(target));
  const stream = streamFrom(recording, otherSide(target));
  const whole = outcome(recording, target, (replay) => replay.sendBytes(stream));

  it('the stream is cut in two at any byte', () => {
    for (const cut of cutsOf(stream)) {
      const inTwo = outcome(recording, target, (replay) =>
        replay.sendBytes(stream.subarray(0, cut)).sendBytes(stream.subarray(cut)),
      );
      expect(inTwo, `cut at ${cut}`).toEqual(whole);
    }
  });

  it('a message is cut in two records at any byte', () => {
    incoming.forEach((item, at) => {
      if (item.contentType !== contentTypes.handshake) return;
      for (const cut of cutsOf(item.bytes)) {
        const halves = [item.bytes.subarray(0, cut), item.bytes.subarray(cut)].map((bytes) => ({ ...item, bytes }));
        const inTwo = outcome(recording, target, (replay) =>
          replay.send(...incoming.slice(0, at), ...halves, ...incoming.slice(at + 1)),
        );
        expect(inTwo, `message ${at} cut at ${cut}`).toEqual(whole);
      }
    });
  });
});

it('data of many records, cut anywhere, comes out whole', () => {
  const recording = record(flows.full);
  const data = new Uint8Array(3 * maxPlaintextLength + 5).map((_, i) => i * 7);
  const { client, server } = recording.ends;
  client.connection.write(data);
  const stream = client.connection.takeOutput();
  for (let at = 0; at < stream.length; at += 1009) server.connection.receive(stream.subarray(at, at + 1009));
  const received = server.connection
    .takeEvents()
    .map((event) => (event.type === 'data' ? event.data : new Uint8Array()));
  expect(received.map(({ length }) => length)).toEqual([maxPlaintextLength, maxPlaintextLength, maxPlaintextLength, 5]);
  expect(join(received)).toEqual(data);
});

/** Every byte of a header and of the last ones, and every seventh between; all of them in the slow tests. */
function cutsOf({ length }: Uint8Array): number[] {
  return Array.from({ length: length - 1 }, (_, i) => i + 1).filter(
    (cut) => cut < 8 || cut > length - 4 || cut % stride(7) === 0,
  );
}

/** Handshake messages that follow each other under the same keys share a record. */
function coalesced(items: readonly Item[]): Pick<Item, 'contentType' | 'bytes'>[] {
  const records: { contentType: number; bytes: Uint8Array }[] = [];
  for (const { contentType, bytes } of items) {
    const last = records.at(-1);
    if (contentType === contentTypes.handshake && last?.contentType === contentType)
      last.bytes = concat(last.bytes, bytes);
    else records.push({ contentType, bytes });
  }
  return records;
}
