/** What the fleet test shows, one after the other, each a row of its table: what clients do, what happens to the fleet, what must come of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Kind } from './client.js';
import type { Figures } from './figures.js';
import { nodeCount, type Fleet } from './fleet.js';
import type { Length } from './length.js';
import { clientsOf, round } from './load.js';
import { chaos, steady } from './rows.js';
import { lateNode, replays, rotation, singleUse } from './special-rows.js';

export interface Scenario {
  readonly name: string;
  readonly run: (fleet: Fleet, length: Length) => Promise<Figures>;
}

const underKeys: readonly Kind[] = ['tickets, TLS 1.3', 'tickets, TLS 1.2'];

export const scenarios: readonly Scenario[] = [
  // Those before the first of `tickets` need no ticket keys, which a fleet that is new has to wait for.
  { name: 'Redis store, TLS 1.2 session IDs', run: steady('Redis, TLS 1.2') },
  { name: 'memory before Redis, TLS 1.2 session IDs', run: steady('memory and Redis, TLS 1.2') },
  { name: 'memcached, TLS 1.2 session IDs', run: steady('memcached, TLS 1.2') },
  { name: 'Redis store, TLS 1.3 single-use tickets', run: steady('Redis, TLS 1.3') },
  { name: 'each single-use ticket at every node at once', run: singleUse },
  { name: 'shared ticket keys, TLS 1.2', run: steady('tickets, TLS 1.2') },
  { name: 'shared ticket keys, TLS 1.3 with 0-RTT', run: steady('tickets, TLS 1.3') },
  { name: '0-RTT flights, each at every node at once', run: replays },
  {
    name: 'node killed (SIGKILL) and started again',
    run: chaos({
      resumes: ['tickets, TLS 1.3', 'tickets, TLS 1.2', 'Redis, TLS 1.2'],
      happens: async (fleet, _length, figures) => {
        const [victim] = fleet.members;
        if (victim === undefined) return;
        const underWay = round(fleet, clientsOf(['tickets, TLS 1.3'], 50), figures);
        await delay(100);
        await victim.kill(); // and the balancer goes on trying it
        await underWay;
        await delay(2_000);
        await fleet.removeNode(victim);
        fleet.members = [...fleet.members, await fleet.startNode()];
      },
    }),
  },
  { name: 'node joins late', run: lateNode },
  { name: 'clocks 9 s ahead and 9 s behind', run: skewed(9_000) },
  { name: 'clocks 11 s ahead and 11 s behind', run: skewed(11_000) },
  {
    name: 'Redis paused (SIGSTOP)',
    run: chaos({
      resumes: underKeys,
      happens: (fleet, { redisPause }) => fleet.pauseRedis(redisPause),
      earlyDataReturns: true,
    }),
  },
  {
    name: 'Redis flushed (FLUSHALL)',
    run: chaos({ resumes: underKeys, happens: (fleet) => fleet.flushRedis(), forgets: true }),
  },
  // Without early data, which in the short form is still away.
  { name: 'ticket keys change', run: rotation },
  {
    name: 'Redis killed (SIGKILL) and started again, empty',
    run: chaos({ resumes: underKeys, happens: (fleet) => fleet.killRedis(2_000), forgets: true }),
  },
];

/** Two more nodes, whose clocks are off. */
function skewed(milliseconds: number) {
  return chaos({
    resumes: underKeys,
    happens: async (fleet) => {
      const ahead = await fleet.startNode({ clockOffset: milliseconds });
      const behind = await fleet.startNode({ clockOffset: -milliseconds });
      fleet.members = [...fleet.members, ahead, behind];
    },
    ends: async (fleet) => {
      for (const member of fleet.members.slice(nodeCount)) await fleet.removeNode(member);
    },
  });
}
