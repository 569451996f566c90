/** Prints what each connection was, as a figure or as JSON, and remembers whether it was what it should be. */
import { nobleCrypto } from '../../crypto/noble.js';
import type { EarlyDataRefusal, HandshakeMode, ResumptionRefusal } from '../../handshake/resumption.js';
import { drawFigure, messageFlow, roundTrips, type Segment } from '../figure.js';
import type { Timing } from './link.js';

/** What a handshake came to, as one of its ends saw it. */
export interface Outcome {
  readonly version: string;
  readonly mode: HandshakeMode;
  readonly resumed: boolean;
  readonly reason: ResumptionRefusal | undefined;
  readonly earlyData: 'none' | 'accepted' | 'rejected';
  readonly earlyDataReason: EarlyDataRefusal | undefined;
}

interface Recorded {
  readonly step: string;
  /** Who was on the other side. */
  readonly peer: string;
  /** A sentence for the reader. */
  readonly about: string;
  readonly segments: readonly Segment[];
  /** TLS 1.3: opens what is protected, for the figure. */
  readonly keyLog?: string;
  /** Anything that should hold beside what is expected; each is named when it does not. */
  readonly checks?: Readonly<Record<string, boolean>>;
}

export interface Step extends Recorded {
  readonly expected: HandshakeMode;
  /** Default: 2 for a full handshake, else 1, as in TLS 1.2. */
  readonly expectedRoundTrips?: number;
  /** For a full handshake: why it should be one. */
  readonly expectedReason?: ResumptionRefusal;
  /** Default: none. */
  readonly expectedEarlyData?: Outcome['earlyData'];
  readonly outcome: Outcome;
  /** From the first byte to the end of the handshake. */
  readonly milliseconds: number;
}

/** A first flight that somebody sent again: the handshake ends there, because he has no keys. */
export interface Replay extends Recorded {
  readonly reason: EarlyDataRefusal | undefined;
}

export class Report {
  readonly #json: boolean;
  #steps = 0;
  #failures = 0;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** A heading or remark; not in JSON. */
  note(text: string): void {
    if (!this.#json) console.log(`\n${text}`);
  }

  add(step: Step): void {
    const { outcome, expected, expectedReason, expectedEarlyData = 'none' } = step;
    const { version, mode, resumed, reason = null, earlyData, earlyDataReason = null } = outcome;
    const { expectedRoundTrips = expected === 'full' ? 2 : 1 } = step;
    const flights = flightsOf(step);
    const trips = roundTrips(flights);
    const checks = {
      [`mode is ${expected}`]: mode === expected,
      [`resumed is ${String(expected !== 'full')}`]: resumed === (expected !== 'full'),
      [`reason is ${expectedReason ?? 'none'}`]: expectedReason === undefined || reason === expectedReason,
      [`early data is ${expectedEarlyData}`]: earlyData === expectedEarlyData,
      [`round trips are ${String(expectedRoundTrips)}`]: trips === expectedRoundTrips,
      ...step.checks,
    };
    const facts = [
      `${version} ${mode}${reason === null ? '' : ` (${reason})`}`,
      ...(earlyData === 'none' ? [] : [`early data ${earlyData}`]),
      plural(trips, 'round trip'),
      `${String(bytesOf(step))} bytes in all`,
      `${step.milliseconds.toFixed(1)} ms`,
    ];
    const json = { version, mode, resumed, roundTrips: trips, reason, earlyData, earlyDataReason };
    this.#print(step, facts, json, checks);
  }

  /** It should be refused as `replayed`. */
  addReplay(replay: Replay): void {
    const { reason = null } = replay;
    const facts = [`early data rejected (${String(reason)})`, `${String(bytesOf(replay))} bytes in all`];
    const json = { version: 'TLSv1.3', mode: null, earlyData: 'rejected', earlyDataReason: reason };
    this.#print(replay, facts, json, { 'the reason is replayed': reason === 'replayed', ...replay.checks });
  }

  /** A table of round trips that `timing` measured, with the count of TLS that is expected. */
  addTimings(
    oneWay: number,
    timings: readonly { readonly handshake: string; readonly expected: number; readonly timing: Timing }[],
  ): void {
    this.note(
      `Round trips from the first packet to the first byte of an HTTP response, measured on a simulated link with\n` +
        `${String(oneWay)} ms each way (both ends are the core, which takes its time from the link's clock):\n`,
    );
    const columns = ['tcp', 'tls', 'http', 'total'] as const;
    if (!this.#json) console.log(`   ${''.padEnd(18)}${columns.map((name) => name.padStart(7)).join('')}`);
    for (const { handshake, expected, timing } of timings) {
      if (this.#json) console.log(JSON.stringify({ roundTripsOf: handshake, ...timing }));
      else
        console.log(
          `   ${handshake.padEnd(18)}${columns.map((name) => String(timing[name]).padStart(7)).join('')}` +
            `${String(timing.milliseconds).padStart(7)} ms`,
        );
      this.#count(`${handshake}, simulated link`, {
        [`TLS takes ${plural(expected, 'round trip')}`]: timing.tls === expected,
        'TCP and HTTP take one each': timing.tcp === 1 && timing.http === 1,
      });
    }
  }

  /** The exit status. */
  finish(): number {
    const ok = this.#failures === 0 && this.#steps > 0;
    this.note(
      ok
        ? `All ${String(this.#steps)} connections were what they should be.`
        : `${String(this.#failures)} of ${String(this.#steps)} connections were not what they should be.`,
    );
    return ok ? 0 : 1;
  }

  #print(recorded: Recorded, facts: readonly string[], json: object, checks: Readonly<Record<string, boolean>>): void {
    const { step, peer, about } = recorded;
    if (this.#json) console.log(JSON.stringify({ step, peer, ...json }));
    else {
      console.log(`\n${String(this.#steps + 1)}. ${step} - ${peer}\n   ${about}\n`);
      console.log(drawFigure(flightsOf(recorded)).replace(/^(?=.)/gm, '     '));
      console.log(`\n   ${facts.join(', ')}`);
    }
    this.#count(`${step} - ${peer}`, checks);
  }

  #count(name: string, checks: Readonly<Record<string, boolean>>): void {
    const broken = Object.entries(checks).flatMap(([check, holds]) => (holds ? [] : [check]));
    this.#steps++;
    if (broken.length > 0) this.#failures++;
    for (const check of broken) console.error(`   FAILED: ${name}: expected that ${check}`);
  }
}

function flightsOf({ segments, keyLog }: Recorded) {
  return messageFlow(segments, keyLog === undefined ? undefined : { crypto: nobleCrypto, keyLog });
}

function bytesOf({ segments }: Recorded): number {
  return segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function plural(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`;
}
