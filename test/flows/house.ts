/**
 * What one scenario's connections have in common: a clock, a server's store, ticket keys and counters, and what the client
 * remembers. A scenario is a list of steps; each step is one connection.
 */
import type { AlertDescription } from '../../src/alert.js';
import { ascii } from '../../src/bytes.js';
import type { ConnectionOptions } from '../../src/connection/connection.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import {
  resumptionCounters,
  type EarlyDataRefusal,
  type HandshakeMode,
  type ResumptionCounters,
  type ResumptionRefusal,
} from '../../src/handshake/resumption.js';
import type { HandshakeVersion } from '../../src/messages/handshake.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { Session } from '../../src/sessions/session.js';
import { defaultOpeningPeriod } from '../../src/tickets/key-ring-options.js';
import type { KeyRing } from '../../src/tickets/key-ring.js';
import type { RingSealer } from '../../src/tickets/ring-sealer.js';
import {
  epoch,
  eventsOf,
  makePair,
  move,
  settle,
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
  readonly sealer: RingSealer;
  readonly counters: { readonly client: ResumptionCounters; readonly server: ResumptionCounters };
  /** Of a server that reads early data. */
  readonly guard: MemoryReplayGuard;
  /** What the client will offer next. */
  session: Session | undefined;
  /** All that the client has got, those of the last connection first. */
  sessions: readonly Session[];
}

/** One connection, and how it has to end. */
export interface Step {
  readonly title: string;
  /** What happens between the connection before and this one. */
  readonly before?: (house: House) => void;
  readonly client?: (house: House) => Changes<ClientOptions>;
  readonly server?: (house: House) => Changes<ServerOptions>;
  readonly ends?: { readonly client?: ConnectionOptions; readonly server?: ConnectionOptions };
  /** Early data that the client sends, if it may. */
  readonly early?: string;
  /** What the server says as soon as it may. */
  readonly halfRtt?: string;
  /** What is done on the open connection; each of these may be followed by talk. */
  readonly afterwards?: readonly ((pair: Pair) => void)[];
  readonly expected: Completed | Refused;
}

export interface Completed {
  readonly mode: HandshakeMode;
  /** Why it was full, as the server sees it. */
  readonly server?: ResumptionRefusal;
  /** As the client sees it. */
  readonly client?: ResumptionRefusal;
  /** TLS 1.2: in both ends' view. TLS 1.3: whether the server's result says that tickets follow. */
  readonly newTicket?: boolean;
  /** Default TLSv1.2. */
  readonly version?: HandshakeVersion;
  /** TLS 1.3: sessions that the client gets in all; default 2 after a full handshake and 1 after another. */
  readonly tickets?: number;
  readonly helloRetryRequest?: true;
  /** Accepted, or why the server did not read it. */
  readonly earlyData?: 'accepted' | EarlyDataRefusal;
}

/** Who ended it with what. */
export interface Refused {
  readonly by: 'client' | 'server';
  readonly alert: AlertDescription;
  /** TLS 1.3: the client was through with its side by then. */
  readonly late?: true;
}

export interface Scenario {
  /** Name of the golden file. */
  readonly name: string;
  /** What every server of the scenario is made with. */
  readonly server?: Step['server'];
  readonly client?: Step['client'];
  /** What both ends speak. Default: TLS 1.2. */
  readonly versions?: { readonly minVersion: HandshakeVersion; readonly maxVersion: HandshakeVersion };
  readonly steps: readonly Step[];
  /** For scenarios whose answers are promises. */
  readonly asynchronousOnly?: boolean;
}

/** Builds the house and walks through the steps. */
export async function play(
  scenario: Scenario,
  backend: BackendName,
  driver: DriverName,
  visit: (step: Step, pair: Pair, keyLog: string) => void,
): Promise<House> {
  const house = makeHouse(scenario.name, backend);
  for (const [i, step] of scenario.steps.entries()) {
    step.before?.(house);
    const seed = `${scenario.name} ${i}`;
    let keyLog = '';
    const client = testClient(backend, seed, {
      ...scenario.versions,
      keyLog: (line) => (keyLog += `${line}\n`),
      now: house.now,
      counters: house.counters.client,
      session: house.session,
      ...scenario.client?.(house),
      ...step.client?.(house),
    });
    const server = testServer(backend, seed, {
      ...scenario.versions,
      now: house.now,
      counters: house.counters.server,
      ...scenario.server?.(house),
      ...step.server?.(house),
    });
    const pair = await converse(makePair(client, server, { driver, ...step.ends }), step);
    const fresh = eventsOf(pair.client, 'session').map(({ session }) => session);
    house.sessions = [...fresh, ...house.sessions];
    house.session = fresh[0] ?? house.session;
    visit(step, pair, keyLog);
  }
  return house;
}

/** The handshake with what is said early, and then what comes afterwards. */
async function converse(pair: Pair, { early, halfRtt, afterwards = [] }: Step): Promise<Pair> {
  if (early !== undefined) {
    while (pair.client.connection.waiting) await new Promise(setImmediate);
    const data = ascii(early);
    if (pair.client.connection.earlyDataAllowance >= data.length) pair.client.connection.writeEarlyData(data);
  }
  if (halfRtt !== undefined) await sayHalfRtt(pair, ascii(halfRtt));
  await settle(pair);
  for (const act of afterwards) {
    act(pair);
    await settle(pair);
  }
  return pair;
}

/** Hands over what the client says until the server may answer, before anything more of the client. */
async function sayHalfRtt(pair: Pair, data: Uint8Array): Promise<void> {
  while (move(pair, 'client') || pair.client.connection.waiting || pair.server.connection.waiting)
    await new Promise(setImmediate);
  pair.server.connection.writeHalfRtt(data);
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
    ...ticketSealer(backend, name, { now, openingPeriod: defaultOpeningPeriod }),
    counters: { client: resumptionCounters(), server: resumptionCounters() },
    guard: new MemoryReplayGuard({ now }),
    session: undefined,
    sessions: [],
  };
}
