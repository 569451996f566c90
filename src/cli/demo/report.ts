/** Prints what each connection was, as a figure or as JSON, and remembers whether it was what it should be. */
import type { HandshakeMode, ResumptionRefusal } from '../../handshake/resumption.js';
import { drawFigure, messageFlow, roundTrips, type Segment } from '../figure.js';

/** What a handshake came to, as one of its ends saw it. */
export interface Outcome {
  readonly version: string;
  readonly mode: HandshakeMode;
  readonly resumed: boolean;
  readonly reason: ResumptionRefusal | undefined;
}

export interface Step {
  readonly step: string;
  /** Who was on the other side. */
  readonly peer: string;
  readonly expected: HandshakeMode;
  /** For a full handshake: why it should be one. */
  readonly expectedReason?: ResumptionRefusal;
  readonly outcome: Outcome;
  /** Anything else that should hold; each is named when it does not. */
  readonly checks?: Readonly<Record<string, boolean>>;
  readonly segments: readonly Segment[];
  /** From the first byte to the end of the handshake. */
  readonly milliseconds: number;
  /** A sentence for the reader. */
  readonly about: string;
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
    const { outcome, expected, expectedReason } = step;
    const flights = messageFlow(step.segments);
    const trips = roundTrips(flights);
    const checks = {
      [`mode is ${expected}`]: outcome.mode === expected,
      [`resumed is ${String(expected !== 'full')}`]: outcome.resumed === (expected !== 'full'),
      [`reason is ${expectedReason ?? 'none'}`]: expectedReason === undefined || outcome.reason === expectedReason,
      [`round trips are ${expected === 'full' ? '2' : '1'}`]: trips === (expected === 'full' ? 2 : 1),
      ...step.checks,
    };
    const broken = Object.entries(checks).flatMap(([name, holds]) => (holds ? [] : [name]));
    this.#steps++;
    if (broken.length > 0) this.#failures++;
    const { version, mode, resumed, reason = null } = outcome;
    if (this.#json) {
      console.log(
        JSON.stringify({ step: step.step, peer: step.peer, version, mode, resumed, roundTrips: trips, reason }),
      );
    } else {
      const bytes = step.segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
      const facts = [
        `${version} ${mode}${reason === null ? '' : ` (${reason})`}`,
        `${String(trips)} round trip${trips === 1 ? '' : 's'}`,
        `${String(bytes)} bytes in all`,
        `${step.milliseconds.toFixed(1)} ms`,
      ];
      console.log(`\n${String(this.#steps)}. ${step.step} - ${step.peer}\n   ${step.about}\n`);
      console.log(drawFigure(flights).replace(/^(?=.)/gm, '     '));
      console.log(`\n   ${facts.join(', ')}`);
    }
    for (const name of broken) console.error(`   FAILED: ${step.step} - ${step.peer}: expected that ${name}`);
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
}
