/** Servers of TLS 1.3 that share one ticket key and one replay guard, their clients, and a clock that both sides read. */
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import {
  epoch,
  makePair,
  pump,
  ticketSealer,
  tls13Client,
  tls13Server,
  type Changes,
  type Pair,
} from './connections.js';
import type { BackendName } from './seeded.js';
import { sessionsOf } from './tls13-rules.js';

export interface World13 {
  readonly clock: { time: number };
  readonly guard: MemoryReplayGuard;
  readonly sealer: ReturnType<typeof ticketSealer>['sealer'];
  /** Reads 1000 bytes of early data and sends two tickets, unless told otherwise. */
  server(changes?: Changes<ServerOptions>): ServerSettings;
  client(changes?: Changes<ClientOptions>): ClientSettings;
  connect(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Pair;
  /** The tickets of a full handshake, a second ago. */
  sessions(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Tls13Session[];
  /** The first of them. */
  session(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Tls13Session;
}

export const maxEarlyData = 1000;

export function makeWorld13(backend: BackendName = 'node'): World13 {
  const clock = { time: epoch };
  const now = () => clock.time;
  const guard = new MemoryReplayGuard({ now });
  const { sealer } = ticketSealer(backend, 'world', { now });
  const earlyData = { maxSize: maxEarlyData, replayGuard: guard };
  let made = 0;
  const world: World13 = {
    clock,
    guard,
    sealer,
    server: (changes) =>
      tls13Server(backend, `world ${String(made++)}`, { now, tickets: sealer, earlyData, ...changes }),
    client: (changes) => tls13Client(backend, `world ${String(made++)}`, { now, ...changes }),
    connect: (client, server) => pump(makePair(world.client(client), world.server(server))),
    sessions: (client, server) => {
      const sessions = sessionsOf(world.connect(client, server));
      clock.time += 1000;
      return sessions;
    },
    session: (client, server) => {
      const [session] = world.sessions(client, server);
      if (session === undefined) throw new Error('no ticket came');
      return session;
    },
  };
  return world;
}
