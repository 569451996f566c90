/**
 * What a handshake costs that has its sessions, and who has seen a ClientHello before, in Redis: how often it waits for an answer until
 * both ends are open, what is sent to Redis in all, and how long an answer takes.
 *
 * Waiting is counted, not timed: answers are held back until nothing goes on without them. Commands that are under way together are one
 * round trip, and those that nobody waits for are none.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { nodeCrypto } from '../src/crypto/node.js';
import { CircuitBreaker, RedisReplayGuard } from '../src/early-data/index.js';
import {
  clientConnection,
  clientSettings,
  serverConnection,
  serverSettings,
  type ServerOptions,
} from '../src/index.js';
import type { HandshakeVersion } from '../src/messages/handshake.js';
import { MemoryStore } from '../src/sessions/memory-store.js';
import { RedisStore } from '../src/sessions/redis-store.js';
import { KeyRing } from '../src/tickets/key-ring.js';
import { RingSealer } from '../src/tickets/ring-sealer.js';
import { certificate, privateKey, serverName, verifyCertificate } from './credentials.js';
import { goals } from './goals.js';
import type { Group, RoundTripRow } from './groups.js';
import { earlyRequest, type PairSettings } from './handshakes.js';
import { startRedis } from './redis.js';

const crypto = nodeCrypto;
const now = Date.now;
const sealer = new RingSealer({ keys: new KeyRing({ crypto, now, automaticRotation: true }) });
const credentials = [{ certificates: [certificate], signer: crypto.signer(privateKey()) }];
/** Milliseconds; a guard that has just begun accepts nothing for so long. */
const freshnessWindow = 1000;
/** For the time that an answer takes. */
const timedHandshakes = 200;

export const redisRoundTripGroups: Readonly<Record<string, Group>> = { 'redis round trips': roundTrips };

interface Kind {
  readonly name: string;
  readonly version: HandshakeVersion;
  readonly resumes: boolean;
  readonly early: boolean;
  readonly server: Partial<ServerOptions>;
}

async function roundTrips(): Promise<RoundTripRow[]> {
  const redis = await startRedis('redis round trips');
  if (redis === undefined) return [];
  const client = new Redis(redis.port, '127.0.0.1');
  try {
    const gate = new Gate(client);
    const common = { client: gate, breaker: new CircuitBreaker({ timeLimit: 10_000 }) };
    const sessions = new RedisStore({ ...common, sealer, crypto, now });
    const replayGuard = new RedisReplayGuard({ ...common, freshnessWindow, clockTolerance: 0 });
    while ((await replayGuard.check(crypto.randomBytes(32), now() + freshnessWindow)) !== 'fresh') continue;
    const earlyData = { maxSize: 16_384, replayGuard, freshnessWindow };
    const single = { maxSize: 16_384, singleUseTickets: true, freshnessWindow } as const;
    const tls13 = { version: 'TLSv1.3', resumes: true, early: false } as const;
    const kinds: readonly Kind[] = [
      { name: 'TLS 1.2 full', version: 'TLSv1.2', resumes: false, early: false, server: { sessions } },
      { name: 'TLS 1.2 session_id', version: 'TLSv1.2', resumes: true, early: false, server: { sessions } },
      { name: 'TLS 1.3 full, stateful tickets', ...tls13, resumes: false, server: { sessions } },
      { name: 'TLS 1.3 psk_dhe_ke, stateful ticket', ...tls13, server: { sessions } },
      { name: 'TLS 1.3 0-RTT, sealed ticket', ...tls13, early: true, server: { tickets: sealer, earlyData } },
      { name: 'TLS 1.3 0-RTT, single-use ticket', ...tls13, early: true, server: { sessions, earlyData: single } },
      { name: 'TLS 1.3 0-RTT, single-use ticket and guard', ...tls13, early: true, server: { sessions, earlyData } },
    ];
    const rows: RoundTripRow[] = [];
    for (const kind of kinds) rows.push(await measureKind(kind, gate));
    return rows;
  } finally {
    client.disconnect();
    redis.stop();
  }
}

async function measureKind(kind: Kind, gate: Gate): Promise<RoundTripRow> {
  const settings = settingsOf(kind);
  // A resumption has a session from here on: each of them brings the next one, or leaves the one that there is.
  await shake({ ...kind, resumes: false, early: false }, settings, gate);
  gate.isClosed = true;
  const counted = await shake(kind, settings, gate);
  gate.isClosed = false;
  const latencies: number[] = [];
  for (let i = 0; i < timedHandshakes; i++) {
    const { commands } = await shake(kind, settings, gate);
    latencies.push(...commands.map(({ milliseconds }) => milliseconds));
  }
  latencies.sort((a, b) => a - b);
  const asksBoth = kind.server.sessions !== undefined && kind.server.earlyData?.replayGuard !== undefined;
  return {
    suite: 'Redis',
    case: kind.name,
    backend: '-',
    roundTrips: counted.roundTrips,
    commands: counted.commands.map(({ name }) => name),
    roundTripMilliseconds: latencies[latencies.length >> 1] ?? NaN,
    goal: goals['-']?.[asksBoth ? 'Redis round trips, store and guard' : 'Redis round trips'] ?? null,
  };
}

function settingsOf({ version, resumes, early, server }: Kind): PairSettings {
  const common = { crypto, now, minVersion: version, maxVersion: version, groups: ['x25519', 'secp256r1'] } as const;
  return {
    client: clientSettings({
      ...common,
      serverName,
      verifyCertificate,
      tickets: version === 'TLSv1.3',
      earlyData: early,
      ...(resumes && { sessions: new MemoryStore({ now }) }),
    }),
    server: serverSettings({ ...common, credentials, ...server }),
  };
}

/** One handshake, with all that comes after it; throws where it is not of its kind. */
async function shake(kind: Kind, settings: PairSettings, gate: Gate) {
  gate.commands.length = 0;
  const client = clientConnection(settings.client, { driver: 'sync' });
  const server = serverConnection(settings.server, { driver: 'async' });
  if (client.earlyDataAllowance > 0) client.writeEarlyData(earlyRequest);
  const pump = async () => {
    server.receive(client.takeOutput());
    client.receive(server.takeOutput());
    for (const event of [...client.takeEvents(), ...server.takeEvents()])
      if (event.type === 'close') throw new Error(`${kind.name}: the handshake failed`, { cause: event });
    await turn(); // what the answers lead to, up to the next command
    return client.state === 'open' && server.state === 'open';
  };
  let roundTrips = 0;
  while (!(await pump())) {
    if (server.waiting && gate.held.length > 0) {
      roundTrips++;
      await gate.release();
    }
  }
  do {
    await gate.release();
    await pump();
  } while (server.waiting || gate.waiting > 0);
  await pump();
  const { handshake } = server;
  if (
    handshake === undefined ||
    (handshake.mode !== 'full') !== kind.resumes ||
    (handshake.earlyData === 'accepted') !== kind.early
  )
    throw new Error(
      `${kind.name}: the handshake was ${handshake?.mode ?? 'none'}, early data ${handshake?.earlyData ?? ''}`,
    );
  client.destroy();
  server.destroy();
  return { roundTrips, commands: gate.commands.slice() };
}

/** A client of Redis that notes what is sent, and while it is closed hands out no answer that nobody has released. */
class Gate {
  isClosed = false;
  /** Commands whose answers nobody has yet. */
  waiting = 0;
  readonly commands: { readonly name: string; milliseconds: number }[] = [];
  readonly held: { readonly answer: Promise<unknown>; readonly handOut: () => void }[] = [];
  readonly #client: Redis;

  constructor(client: Redis) {
    this.#client = client;
  }

  async call(name: string, ...args: string[]): Promise<unknown> {
    const command = { name, milliseconds: NaN };
    this.commands.push(command);
    this.waiting++;
    const begun = performance.now();
    const answer = this.#client.call(name, ...args).finally(() => (command.milliseconds = performance.now() - begun));
    try {
      if (this.isClosed) await new Promise<void>((handOut) => this.held.push({ answer, handOut }));
      return await answer;
    } finally {
      this.waiting--;
    }
  }

  /** All that is held, once it is there. */
  async release(): Promise<void> {
    for (const { answer, handOut } of this.held.splice(0)) {
      await answer.catch(() => undefined);
      handOut();
    }
  }
}
