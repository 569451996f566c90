/** The two kinds of rows that most scenarios are: rounds while nothing happens, and load while something does. */
import { setTimeout as delay } from 'node:timers/promises';
import { defaultTimeLimit } from '../../src/sessions/index.js';
import { kinds, type Kind } from './client.js';
import { Figures } from './figures.js';
import type { Fleet } from './fleet.js';
import { Attacker } from './flights.js';
import type { Length } from './length.js';
import { clientsOf, round, startLoad, type Load } from './load.js';

/** Of clients that come with a session, while nothing is wrong. */
export const leastResumed = 0.99;
/**
 * Milliseconds. A handshake asks its store three times at the most, each within the circuit breaker's limit; the rest is for a machine
 * on which everything runs at once and is busy with other things.
 */
const longestHandshake = 3 * defaultTimeLimit + 4_000;
/** Milliseconds that the replay guard's window lasts by default, and hence 0-RTT is away once Redis has forgotten. */
const guardWindow = 40_000;
/** Fewer flights that were accepted before something happened would show nothing afterwards. */
const fewestAccepted = 3;

/** Rounds of clients of one kind. */
export function steady(kind: Kind) {
  return async (fleet: Fleet, { rounds }: Length): Promise<Figures> => {
    const usesKeys = kinds[kind].service === 'tickets';
    const sendsEarly = 'early' in kinds[kind];
    if (usesKeys) await fleet.sealing();
    if (sendsEarly) await fleet.acceptingEarlyData();
    const figures = new Figures();
    const clients = clientsOf([kind]);
    await firstRound(fleet, clients, figures);
    for (let i = 0; i < rounds; i++) await round(fleet, clients, figures);
    figures.expectResumed(leastResumed, kind);
    const { earlySent = 0, earlyAccepted = 0 } = figures.kinds[kind] ?? {};
    if (sendsEarly) figures.expectAtLeast(leastResumed, earlyAccepted / earlySent, 'share of 0-RTT that was accepted');
    return judged(fleet, figures);
  };
}

/** In which clients get their sessions: what counts is that it does not fail. */
async function firstRound(fleet: Fleet, clients: Parameters<typeof round>[1], figures: Figures): Promise<void> {
  const first = new Figures();
  await round(fleet, clients, first);
  Object.assign(figures.failed, first.failed);
}

export interface Chaos {
  /** Whose clients must not notice anything. */
  readonly resumes: readonly Kind[];
  /** Answers how to put an end to it after the load, where it does not end by itself. */
  readonly happens: (fleet: Fleet, length: Length) => Promise<(() => Promise<void>) | void>;
  /** Redis does not know any more what it was told: 0-RTT has to be away for a window. */
  readonly forgets?: boolean;
  /** 0-RTT has to be there again in the end, within a window. */
  readonly earlyDataReturns?: boolean;
}

/** Load of several kinds and an attacker, before, while and after something happens. */
export function chaos({ resumes, happens, forgets = false, earlyDataReturns = forgets }: Chaos) {
  return async (fleet: Fleet, length: Length): Promise<Figures> => {
    await fleet.acceptingEarlyData();
    const figures = new Figures();
    const clients = clientsOf([
      'tickets, TLS 1.3',
      'tickets, TLS 1.3',
      'tickets, TLS 1.2',
      'Redis, TLS 1.3',
      'Redis, TLS 1.2',
    ]);
    await firstRound(fleet, clients, figures);
    const load = startLoad(fleet, clients, figures);
    const attacker = new Attacker(fleet, figures);
    await attacker.start();
    await delay(length.before);
    figures.acceptedBefore = attacker.acceptedFlights;
    const begun = performance.now();
    const end = await happens(fleet, length);
    const over = performance.now();
    await delay(length.after);
    if (earlyDataReturns) await noteReturn(load, { begun, over, forgets }, figures);
    await attacker.stop();
    await load.stop();
    await end?.();
    figures.expectAtLeast(fewestAccepted, figures.acceptedBefore, 'flights that had been accepted before');
    for (const kind of resumes) figures.expectResumed(leastResumed, kind);
    figures.expectAtMost(0, figures.cut - figures.cutThenSucceeded, 'clients that were cut and failed again');
    return judged(fleet, figures);
  };
}

/** What every row has to keep. */
export function judged(fleet: Fleet, figures: Figures): Figures {
  figures.acceptedTwice = fleet.takeAcceptedTwice();
  figures.expectAtMost(0, figures.failures, 'failed handshakes');
  figures.expectAtMost(0, figures.acceptedTwice, 'requests read as early data more than once');
  figures.expectAtMost(longestHandshake, figures.longestHandshake, 'longest handshake, ms');
  return figures;
}

interface Happening {
  /** On the clock of `performance`. */
  readonly begun: number;
  readonly over: number;
  readonly forgets: boolean;
}

/** Waits until early data is accepted again, and notes how long it was away. */
async function noteReturn(load: Load, { begun, over, forgets }: Happening, figures: Figures): Promise<void> {
  const firstAccepted = () =>
    load.visits.find(({ visit }) => visit.earlyDataAccepted && visit.startedAt > (forgets ? begun : over));
  const latest = over + guardWindow + 20_000;
  while (firstAccepted() === undefined && performance.now() < latest) await delay(250);
  const accepted = firstAccepted();
  if (accepted === undefined) {
    figures.faults.push('early data was not accepted any more');
    return;
  }
  const seconds = (accepted.visit.startedAt - over) / 1000;
  figures.notes.push(`0-RTT was accepted again after ${seconds.toFixed(1)} s`);
  if (forgets)
    figures.expectAtLeast(guardWindow / 1000 - 1, seconds, 'seconds without 0-RTT after Redis had forgotten');
}
