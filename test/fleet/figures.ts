/** What a row of the table counts, and the faults that it finds: figures are data, and a fault is a sentence. */
import type { Kind, Visit } from './client.js';

/** Of one kind of client. */
export interface KindFigures {
  visits: number;
  /** Visits of clients that held a session, how many of them resumed, and why the others did not. */
  held: number;
  resumed: number;
  readonly full: Record<string, number>;
  /** Early data: how much was sent, and what became of it in the server's words. */
  earlySent: number;
  earlyAccepted: number;
  readonly earlyRejected: Record<string, number>;
}

export class Figures {
  readonly kinds: Partial<Record<Kind, KindFigures>> = {};
  /** Visits that failed, by what went wrong: whatever is not in `cut`. */
  readonly failed: Record<string, number> = {};
  /** Connections whose node was killed while they were open, and how many of their clients succeeded when they came again. */
  cut = 0;
  cutThenSucceeded = 0;
  /** Milliseconds. */
  longestHandshake = 0;
  /** For which a process of ours stood still, at the longest. */
  longestStall = 0;
  /** Recorded flights that were sent, and those of them that had been accepted once before something happened to the fleet. */
  replays = 0;
  acceptedBefore = 0;
  /** Requests that applications have read as early data more than once. */
  acceptedTwice = 0;
  readonly notes: string[] = [];
  readonly faults: string[] = [];

  add(kind: Kind, visit: Visit): void {
    const { reply } = visit;
    if (reply === undefined) {
      count(this.failed, `${kind}: ${visit.error ?? ''}`);
      return;
    }
    const of = (this.kinds[kind] ??= newKindFigures());
    of.visits++;
    this.longestHandshake = Math.max(this.longestHandshake, visit.handshakeMilliseconds);
    if (visit.held) {
      of.held++;
      if (reply.mode !== 'full') of.resumed++;
      else count(of.full, reply.reason ?? 'unknown');
    }
    if (!visit.earlyDataSent) return;
    of.earlySent++;
    if (visit.earlyDataAccepted) of.earlyAccepted++;
    else count(of.earlyRejected, reply.earlyDataReason ?? 'unknown');
  }

  get visits(): number {
    return Object.values(this.kinds).reduce((sum, { visits }) => sum + visits, 0);
  }

  get failures(): number {
    return Object.values(this.failed).reduce((sum, count) => sum + count, 0);
  }

  /** Adds a fault where `found` is less than `least`. */
  expectAtLeast(least: number, found: number, what: string): void {
    if (!(found >= least)) this.faults.push(`${what}: ${rounded(found)}, expected at least ${least}`);
  }

  expectAtMost(most: number, found: number, what: string): void {
    if (!(found <= most)) this.faults.push(`${what}: ${rounded(found)}, expected at most ${most}`);
  }

  /** That clients came with sessions, and that so many of these resumed. */
  expectResumed(least: number, kind: Kind): void {
    const { held = 0, resumed = 0, visits = 0 } = this.kinds[kind] ?? {};
    this.expectAtLeast(0.9, held / visits, `${kind}: share of visits with a session`);
    this.expectAtLeast(least, resumed / held, `${kind}: resumption rate`);
  }
}

function newKindFigures(): KindFigures {
  return { visits: 0, held: 0, resumed: 0, full: {}, earlySent: 0, earlyAccepted: 0, earlyRejected: {} };
}

export function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Of later figures, how much they are above earlier ones. */
export function increase(
  later: Readonly<Record<string, number>>,
  earlier: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(later)
      .map(([name, value]) => [name, value - (earlier[name] ?? 0)] as const)
      .filter(([, value]) => value !== 0),
  );
}

const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
