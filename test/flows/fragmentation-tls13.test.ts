/** TLS 1.3: however the transport or the record layer cuts what a peer says, the same is answered and told. */
import { describe, expect, it } from 'vitest';
import { tls13Flows, type Tls13Flow } from '../support/flows-tls13.js';
import { sides } from '../support/replay.js';
import { at, honest, nameOf, Sabotage, type Hand, type Injection } from '../support/saboteur.js';
import { isThorough, stride } from '../support/thorough.js';
import type { Side } from '../support/traffic.js';

const cases = Object.values(tls13Flows).flatMap((flow) => sides.map((target) => [flow.name, target, flow] as const));

const steps = [1009, 61, 5];

describe.each(cases)('%s: the %s', (_, target, flow) => {
  const whole = outcome(flow, target);

  it('byte by byte', () => {
    const bytewise = outcome(flow, target, honest, (bytes) => [...bytes].map((byte) => Uint8Array.of(byte)));
    expect(bytewise).toEqual(whole);
  });

  it('in records of one byte', () => {
    const inCrumbs = outcome(flow, target, (message, _index, pen) => {
      for (const byte of message.bytes) {
        pen.write({ ...message, bytes: Uint8Array.of(byte) });
        pen.flush();
      }
    });
    expect(inCrumbs).toEqual(whole);
  });

  it('in one record for each message', () => {
    const apart = outcome(flow, target, (message, _index, pen) => {
      pen.write(message);
      pen.flush();
    });
    expect(apart).toEqual(whole);
  });

  it('the transport cuts at any byte of a header, and here and there', () => {
    for (let first = 1; first < 12; first++)
      for (const step of isThorough ? steps : [steps[first % steps.length]!]) {
        const cut = outcome(flow, target, honest, (bytes) => pieces(bytes, first, step));
        expect(cut, `${first}, then every ${step}`).toEqual(whole);
      }
  });
});

describe.each([
  [tls13Flows.mutual, 'client'],
  [tls13Flows.mutual, 'server'],
  [tls13Flows.pskRetry, 'client'],
  [tls13Flows.pskRetry, 'server'],
  [tls13Flows.early, 'client'],
  [tls13Flows.early, 'server'],
] as const)('$name: the %s', (flow, target) => {
  const whole = outcome(flow, target);
  const { meant } = new Sabotage(flow, target, honest);

  it('a message is cut in two records at any byte', () => {
    meant.forEach((message, place) => {
      for (const cut of cutsOf(message)) {
        const inTwo = outcome(
          flow,
          target,
          at(place, ({ contentType, bytes }, pen) => {
            pen.write({ contentType, bytes: bytes.subarray(0, cut) });
            pen.flush();
            pen.write({ contentType, bytes: bytes.subarray(cut) });
          }),
        );
        expect(inTwo, `${nameOf(message)} cut at ${cut}`).toEqual(whole);
      }
    });
  });
});

/** What the target tells, and what state it is in. */
function outcome(flow: Tls13Flow, target: Side, hand: Hand = honest, cut?: (bytes: Uint8Array) => Uint8Array[]) {
  const { target: end, saboteur } = new Sabotage(flow, target, hand, cut);
  return { events: end.events, states: [end.connection.state, saboteur.connection.state] };
}

function pieces(bytes: Uint8Array, first: number, step: number): Uint8Array[] {
  const cuts = [bytes.subarray(0, first)];
  for (let start = first; start < bytes.length; start += step) cuts.push(bytes.subarray(start, start + step));
  return cuts;
}

/** Every byte of the header and of the last ones, and every 21st between; all of them in the slow tests. */
function cutsOf({ bytes: { length } }: Injection): number[] {
  return Array.from({ length: length - 1 }, (_, i) => i + 1).filter(
    (cut) => cut < 8 || cut > length - 4 || cut % stride(21) === 0,
  );
}
