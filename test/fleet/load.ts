/** Many clients of a fleet: in rounds, or each at its own pace until told to stop. */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, kinds, type Kind, type Visit } from './client.js';
import type { Figures } from './figures.js';
import type { Fleet } from './fleet.js';

export const clientCount = 200;
/** Of one round, under way at the same time. */
const concurrency = 16;
/** Milliseconds between two visits of one client, at the least and at the most. */
const [shortestPause, longestPause] = [1_500, 3_500];

/** So many clients, of these kinds by turns. */
export function clientsOf(kindsByTurns: readonly [Kind, ...Kind[]], count = clientCount): Client[] {
  return Array.from({ length: count }, (_, i) => new Client(kindsByTurns[i % kindsByTurns.length] ?? kindsByTurns[0]));
}

/** Each client visits once. */
export async function round(fleet: Fleet, clients: readonly Client[], figures: Figures): Promise<void> {
  const waiting = [...clients];
  const one = async () => {
    for (let client = waiting.pop(); client !== undefined; client = waiting.pop()) await visit(fleet, client, figures);
  };
  await Promise.all(Array.from({ length: concurrency }, one));
}

export interface Load {
  /** Visits so far, in the order in which they ended. */
  readonly visits: readonly { readonly kind: Kind; readonly visit: Visit }[];
  /** No visit is under way any more. */
  stop(): Promise<void>;
}

export function startLoad(fleet: Fleet, clients: readonly Client[], figures: Figures): Load {
  const stopping = new AbortController();
  setMaxListeners(clients.length, stopping.signal);
  const visits: { kind: Kind; visit: Visit }[] = [];
  const pause = (milliseconds: number) =>
    delay(milliseconds, undefined, { signal: stopping.signal }).catch(() => undefined);
  const one = async (client: Client) => {
    await pause(fleet.chance.below(longestPause));
    while (!stopping.signal.aborted) {
      visits.push({ kind: client.kind, visit: await visit(fleet, client, figures) });
      await pause(shortestPause + fleet.chance.below(longestPause - shortestPause));
    }
  };
  const all = Promise.all(clients.map(one));
  return {
    visits,
    stop: async () => {
      stopping.abort();
      await all;
    },
  };
}

/** Of a client whose connection is cut because its node was killed, the second attempt counts: clients come again. */
async function visit(fleet: Fleet, client: Client, figures: Figures): Promise<Visit> {
  const port = fleet.portOf(kinds[client.kind].service);
  const first = await client.visit(port);
  if (!(await fleet.wasCut(client.kind, first))) {
    figures.add(client.kind, first);
    return first;
  }
  figures.cut++;
  const second = await client.visit(port);
  figures.add(client.kind, second);
  if (second.error === undefined) figures.cutThenSucceeded++;
  return second;
}
