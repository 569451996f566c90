/** Rows that are like no other: single use, replays in number, new keys, a node that joins late. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Kind } from './client.js';
import { count, Figures } from './figures.js';
import { nodeCount, type Fleet } from './fleet.js';
import { gatherSessions, record, replay } from './flights.js';
import type { Length } from './length.js';
import { clientsOf, round, startLoad } from './load.js';
import { judged, leastResumed } from './rows.js';

/** RFC 8446 8.1, and C.4 from the other side: of all nodes that are shown a ticket at once, one resumes. */
export async function singleUse(fleet: Fleet, { singleUseTickets }: Length): Promise<Figures> {
  const figures = new Figures();
  const kind: Kind = 'Redis, TLS 1.3';
  const client = new Client(kind);
  const times: Record<string, number> = {};
  for (let i = 0; i < singleUseTickets; i++) {
    const [session] = (await new Client(kind).visit(fleet.portOf('handles'))).sessions;
    if (session === undefined) continue;
    const visits = await Promise.all(fleet.members.map(({ ports }) => client.visit(ports.handles, session)));
    for (const visit of visits) figures.add(kind, visit);
    count(times, `${visits.filter(({ reply }) => reply !== undefined && reply.mode !== 'full').length}`);
  }
  figures.notes.push(`${singleUseTickets} tickets at ${nodeCount} nodes: ${times['1'] ?? 0} resumed once`);
  figures.expectAtLeast(singleUseTickets, times['1'] ?? 0, 'tickets that resumed once');
  return judged(fleet, figures);
}

/** Flights under way at the same time. */
const batch = 25;

/** RFC 8446 8: what the applications have read counts, not what the library says. */
export async function replays(fleet: Fleet, { flights }: Length): Promise<Figures> {
  await fleet.acceptingEarlyData();
  const figures = new Figures();
  const sessions = await gatherSessions(fleet, 100);
  const ids: string[] = [];
  const fates = await fleet.earlyDataFatesOf(async () => {
    while (ids.length < flights) {
      const recorded = await Promise.all(sessions.slice(0, Math.min(batch, flights - ids.length)).map(record));
      sessions.push(...sessions.splice(0, batch));
      await Promise.all(recorded.map((flight) => replay(flight, fleet.members)));
      ids.push(...recorded.map(({ id }) => id));
    }
  });
  figures.replays = ids.length * fleet.members.length;
  const times: Record<string, number> = {};
  for (const id of ids) count(times, `${fleet.readEarly(id)}`);
  figures.notes.push(
    `${flights} flights at ${nodeCount} nodes: ${times['1'] ?? 0} accepted once, ${times['0'] ?? 0} never`,
  );
  figures.notes.push(`by the nodes: ${listed(fates)}`);
  figures.expectAtLeast(leastResumed * flights, times['1'] ?? 0, 'flights that were accepted once');
  figures.expectAtLeast(
    figures.replays,
    Object.values(fates).reduce((sum, value) => sum + value, 0),
    'replays that the nodes know of',
  );
  return judged(fleet, figures);
}

/** Load until another key seals at all nodes. */
export async function rotation(fleet: Fleet, { after }: Length): Promise<Figures> {
  await fleet.sealing();
  const figures = new Figures();
  const clients = clientsOf(['tickets, TLS 1.3', 'tickets, TLS 1.2']);
  await round(fleet, clients, new Figures());
  const load = startLoad(fleet, clients, figures);
  const before = await fleet.sealingKeys();
  const seen = new Set(before);
  for (const end = performance.now() + 2 * fleet.sealingPeriod; performance.now() < end && seen.size < 2;) {
    await delay(500);
    for (const key of await fleet.sealingKeys()) seen.add(key);
  }
  await delay(after);
  for (const key of await fleet.sealingKeys()) seen.add(key);
  await load.stop();
  figures.notes.push(`${seen.size} keys sealed one after the other`);
  figures.expectAtLeast(2, seen.size, 'keys that sealed');
  for (const kind of ['tickets, TLS 1.3', 'tickets, TLS 1.2'] as const) figures.expectResumed(leastResumed, kind);
  return judged(fleet, figures);
}

/** It has to open at once what the others have sealed, and they what it has. */
export async function lateNode(fleet: Fleet, { rounds }: Length): Promise<Figures> {
  await fleet.acceptingEarlyData();
  const figures = new Figures();
  const kinds: readonly [Kind, ...Kind[]] = ['tickets, TLS 1.3', 'tickets, TLS 1.2', 'Redis, TLS 1.2'];
  const clients = clientsOf(kinds);
  const others = fleet.members;
  await round(fleet, clients, new Figures());
  const late = await fleet.startNode();
  for (let i = 0; i < rounds; i += 2) {
    fleet.members = [late];
    await round(fleet, clients, figures);
    fleet.members = others;
    await round(fleet, clients, figures);
  }
  for (const kind of kinds) figures.expectResumed(leastResumed, kind);
  const { earlySent = 0, earlyAccepted = 0 } = figures.kinds['tickets, TLS 1.3'] ?? {};
  figures.expectAtLeast(leastResumed, earlyAccepted / earlySent, 'share of 0-RTT that was accepted');
  figures.notes.push('all visits by turns at the new node alone and at the others alone');
  await fleet.removeNode(late);
  return judged(fleet, figures);
}

const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
