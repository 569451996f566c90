/** `npm run fleet -- --control`: fleets with a fault each. Here a row passes if it finds the fault. */
import type { Figures } from './figures.js';
import type { Fleet, FleetOptions } from './fleet.js';
import { short } from './length.js';
import { steady } from './rows.js';
import { replays } from './special-rows.js';

export interface Control {
  readonly name: string;
  readonly options: FleetOptions;
  readonly run: (fleet: Fleet) => Promise<Figures>;
  /** What its faults have to say. */
  readonly finds: RegExp;
}

/** Nobody has to wait for their first key. */
const keyTimes = { sealingPeriod: 4_000, openingPeriod: 60_000, publishAhead: 2_000, pollInterval: 500 };

export const controls: readonly Control[] = [
  {
    name: 'a replay guard in each process',
    options: { replayGuard: 'memory', keyTimes },
    run: (fleet) => replays(fleet, short),
    finds: /requests read as early data more than once/,
  },
  {
    name: 'ticket keys of their own at each node',
    options: { ticketKeys: 'own', keyTimes },
    run: (fleet) => steady('tickets, TLS 1.2')(fleet, short),
    finds: /resumption rate/,
  },
  {
    name: 'a node with a certificate that nobody trusts',
    options: { keyTimes },
    run: async (fleet) => {
      const [odd] = fleet.members;
      if (odd !== undefined) await fleet.removeNode(odd);
      fleet.members = [...fleet.members, await fleet.startNode({ certificate: 'untrusted' })];
      return steady('Redis, TLS 1.2')(fleet, short);
    },
    finds: /failed handshakes/,
  },
];
