/**
 * What one scenario's connections have in common: a clock, a server's store, ticket keys and counters, and what the client
 * remembers. A scenario is a list of steps; each step is one connection.
 */
import type { AlertDescription } from '../../src/alert.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import {
  resumptionCounters,
  type HandshakeMode,
  type ResumptionCounters,
  type ResumptionRefusal,
} from '../../src/handshake/resumption.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { Session } from '../../src/sessions/session.js';
import type { KeyRing } from '../../src/tickets/key-ring.js';
import type { Rfc5077Sealer } from '../../src/tickets/rfc5077-sealer.js';
import {
  connect,
  epoch,
  eventsOf,
  testClient,
  testServer,
  ticketSealer,
  type Changes,
  type DriverName,
  type Pair,
} from '../support/connections.js';
import type { BackendName } from '../support/seeded.js';

export interface House {
  readonly backend: BackendName;
  readonly clock: { time: number };
  readonly now: () => number;
  readonly store: MemoryStore;
  /** Where a client keeps sessions, if the scenario gives it a store. */
  readonly clientStore: MemoryStore;
  readonly ring: KeyRing;
  readonly sealer: Rfc5077Sealer;
  readonly counters: { readonly client: ResumptionCounters; readonly server: ResumptionCounters };
  /** What the client will offer next. */
  session: Session | undefined;
}

/** One connection, and how it has to end. */
export interface Step {
  readonly title: string;
  /** What happens between the connection before and this one. */
  readonly before?: (house: House) => void;
  readonly client?: (house: House) => Changes<ClientOptions>;
  readonly server?: (house: House) => Changes<ServerOptions>;
  readonly expected: Completed | Refused;
}

export interface Completed {
  readonly mode: HandshakeMode;
  /** Why it was full, as the server sees it. */
  readonly server?: ResumptionRefusal;
  /** As the client sees it. */
  readonly client?: ResumptionRefusal;
  readonly newTicket?: boolean;
}

/** Who ended it with what. */
export interface Refused {
  readonly by: 'client' | 'server';
  readonly alert: AlertDescription;
}

export interface Scenario {
  /** Name of the golden file. */
  readonly name: string;
  /** What every server of the scenario is made with. */
  readonly server?: Step['server'];
  readonly client?: Step['client'];
  readonly steps: readonly Step[];
  /** For scenarios whose answers are promises. */
  readonly asynchronousOnly?: boolean;
}

/** Builds the house and walks through the steps. */
export async function play(
  scenario: Scenario,
  backend: BackendName,
  driver: DriverName,
  visit: (step: Step, pair: Pair) => void,
): Promise<House> {
  const house = makeHouse(scenario.name, backend);
  for (const [i, step] of scenario.steps.entries()) {
    step.before?.(house);
    const seed = `${scenario.name} ${i}`;
    const client = testClient(backend, seed, {
      now: house.now,
      counters: house.counters.client,
      session: house.session,
      ...scenario.client?.(house),
      ...step.client?.(house),
    });
    const server = testServer(backend, seed, {
      now: house.now,
      counters: house.counters.server,
      ...scenario.server?.(house),
      ...step.server?.(house),
    });
    const pair = await connect(client, server, { driver });
    house.session = eventsOf(pair.client, 'session')[0]?.session ?? house.session;
    visit(step, pair);
  }
  return house;
}

function makeHouse(name: string, backend: BackendName): House {
  const clock = { time: epoch };
  const now = () => clock.time;
  return {
    backend,
    clock,
    now,
    store: new MemoryStore({ now }),
    clientStore: new MemoryStore({ now }),
    ...ticketSealer(backend, name, { now }),
    counters: { client: resumptionCounters(), server: resumptionCounters() },
    session: undefined,
  };
}
