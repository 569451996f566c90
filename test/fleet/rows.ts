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
/** Milliseconds. A handshake asks its store three times at the most, each within the circuit breaker's limit; and it has to be made. */
const longestHandshake = 3 * defaultTimeLimit + 1_000;
/** It comes to a client, a balancer and a node by turns, each of which may stand still: what that costs is not the library's. */
const stallsOfHandshake = 4;
/** Milliseconds, however busy the machine is. */
const longestHandshakeEver = 10_000;
/** Milliseconds that the replay guard's window lasts by default, and hence 0-RTT is away once Redis has forgotten. */
const guardWindow = 40_000;
/** Milliseconds to wait for early data beyond that: circuit breakers ask every ten seconds. */
const patience = 20_000;
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
  readonly happens: (fleet: Fleet, length: Length, figures: Figures) => Promise<void>;
  /** After the load, where it does not end by itself. */
  readonly ends?: (fleet: Fleet) => Promise<void>;
  /** Redis does not know any more what it was told: 0-RTT has to be away for a window. */
  readonly forgets?: boolean;
  /** 0-RTT has to be there again in the end. */
  readonly earlyDataReturns?: boolean;
}

/** Load of several kinds and an attacker, before, while and after something happens. */
export function chaos({ resumes, happens, ends, forgets = false, earlyDataReturns = false }: Chaos) {
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
    await happens(fleet, length, figures);
    const happening = { begun, over: performance.now() };
    await delay(length.after);
    if (forgets) await noteWindow(load, happening, length, figures);
    if (earlyDataReturns) await noteReturn(load, happening, figures);
    await attacker.stop();
    await load.stop();
    figures.longestStall = await fleet.takeLongestStall();
    await ends?.(fleet);
    figures.expectAtLeast(fewestAccepted, figures.acceptedBefore, 'flights that had been accepted before');
    for (const kind of resumes) figures.expectResumed(leastResumed, kind);
    figures.expectAtMost(0, figures.cut - figures.cutThenSucceeded, 'clients that were cut and failed again');
    return judged(fleet, figures);
  };
}

/** What every row has to keep. */
export async function judged(fleet: Fleet, figures: Figures): Promise<Figures> {
  figures.acceptedTwice = fleet.takeAcceptedTwice();
  figures.longestStall = Math.max(figures.longestStall, await fleet.takeLongestStall());
  figures.expectAtMost(0, figures.failures, 'failed handshakes');
  figures.expectAtMost(0, figures.acceptedTwice, 'requests read as early data more than once');
  const allowed = Math.min(longestHandshake + stallsOfHandshake * figures.longestStall, longestHandshakeEver);
  figures.expectAtMost(allowed, figures.longestHandshake, 'longest handshake, ms');
  return figures;
}

/** When something happened to the fleet, on the clock of `performance`. */
interface Happening {
  readonly begun: number;
  readonly over: number;
}

/** Nobody's early data is accepted before the window is over; the whole form waits until somebody's is. */
async function noteWindow(
  load: Load,
  happening: Happening,
  { waitsForWindow }: Length,
  figures: Figures,
): Promise<void> {
  const latest = performance.now() + (waitsForWindow ? guardWindow + patience : 0);
  const seconds = await secondsToEarlyData(load, happening, latest);
  if (seconds !== undefined) {
    figures.notes.push(`0-RTT was accepted again after ${seconds.toFixed(1)} s`);
    figures.expectAtLeast(guardWindow / 1000, seconds, 'seconds without 0-RTT after Redis had forgotten');
  } else if (waitsForWindow) figures.faults.push('early data was not accepted any more');
  else {
    const since = (performance.now() - happening.over) / 1000;
    figures.notes.push(`0-RTT was not accepted in ${since.toFixed(1)} s since then`);
  }
}

async function noteReturn(load: Load, { over }: Happening, figures: Figures): Promise<void> {
  const seconds = await secondsToEarlyData(load, { begun: over, over }, performance.now() + patience);
  if (seconds === undefined) figures.faults.push('early data was not accepted any more');
  else figures.notes.push(`0-RTT was accepted again ${seconds.toFixed(1)} s after the end of it`);
}

/** From the beginning of what happened to the end of the first handshake after it with early data; waits for one until `latest`. */
async function secondsToEarlyData(load: Load, { begun, over }: Happening, latest: number): Promise<number | undefined> {
  const accepted = () => load.visits.find(({ visit }) => visit.earlyDataAccepted && visit.startedAt > over)?.visit;
  while (accepted() === undefined && performance.now() < latest) await delay(250);
  const first = accepted();
  return first && (first.startedAt + first.handshakeMilliseconds - begun) / 1000;
}
