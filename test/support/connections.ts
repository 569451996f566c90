/**
 * Two connections of the core and the wire between them, in memory: settings with everything filled in, a pump for each kind
 * of driver, and a record of every byte.
 */
import { ascii } from '../../src/bytes.js';
import type { Segment } from '../../src/cli/figure.js';
import { defaultAnswers } from '../../src/connection/answers.js';
import { clientSettings, serverSettings } from '../../src/connection/config.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import {
  clientConnection,
  serverConnection,
  type Connection,
  type ConnectionOptions,
} from '../../src/connection/connection.js';
import type { ConnectionEvent } from '../../src/connection/events.js';
import type { Answers } from '../../src/handshake/needs.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import type { AesHmacTicketKey, TicketKey } from '../../src/tickets/ticket-key.js';
import { ecdsaP256, trustingVerifier } from './credentials.js';
import { seededCrypto, type BackendName } from './seeded.js';

/** `promises`: the asynchronous driver, and every single answer is a promise. */
export type DriverName = 'sync' | 'async' | 'promises';
export const driverNames = ['sync', 'async', 'promises'] as const;

/** Where the clocks of all tests stand at first: 2025-01-01, in milliseconds. */
export const epoch = Date.UTC(2025, 0, 1);
export const hour = 60 * 60 * 1000;

export const serverName = 'server.example';

/** One end of a connection, and what it has told its owner. */
export interface End {
  readonly connection: Connection;
  readonly events: ConnectionEvent[];
  /** Calls of `wake`. */
  wakes: number;
}

export interface Pair {
  readonly client: End;
  readonly server: End;
  /** Everything that was on the wire. */
  readonly segments: Segment[];
}

interface PairOptions {
  readonly driver?: DriverName;
  readonly client?: ConnectionOptions;
  readonly server?: ConnectionOptions;
}

/** Options in place of the defaults of these tests; `undefined` leaves one out altogether. */
export type Changes<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** Settings of a client that trusts the credentials of these tests, of TLS 1.2 unless told. `seed` names its randomness. */
export function testClient(backend: BackendName, seed: string, changes: Changes<ClientOptions> = {}): ClientSettings {
  const crypto = seededCrypto(backend, `client ${seed}`);
  const defaults = { now: () => epoch, crypto, serverName, verifyCertificate: trustingVerifier };
  return clientSettings(changed<ClientOptions>({ ...defaults, maxVersion: 'TLSv1.2' }, changes));
}

/** As {@link testClient}, of TLS 1.3 and nothing below unless told. */
export function tls13Client(backend: BackendName, seed: string, changes: Changes<ClientOptions> = {}): ClientSettings {
  return testClient(backend, seed, { ...onlyTls13, ...changes });
}

export function tls13Server(backend: BackendName, seed: string, changes: Changes<ServerOptions> = {}): ServerSettings {
  return testServer(backend, seed, { ...onlyTls13, ...changes });
}

const onlyTls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

export function testServer(backend: BackendName, seed: string, changes: Changes<ServerOptions> = {}): ServerSettings {
  const crypto = seededCrypto(backend, `server ${seed}`);
  const defaults = { now: () => epoch, crypto, credentials: [ecdsaP256], verifyCertificate: trustingVerifier };
  return serverSettings(changed<ServerOptions>({ ...defaults, maxVersion: 'TLSv1.2' }, changes));
}

function changed<T extends object>(defaults: T, changes: Changes<T>): T {
  const merged = Object.entries({ ...defaults, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(merged) as T;
}

/** A ticket key that everybody may know. */
export function ticketKey(backend: BackendName, name: string): AesHmacTicketKey {
  const { randomBytes } = seededCrypto(backend, `ticket key ${name}`);
  return { name: ascii(name.padEnd(16).slice(0, 16)), aesKey: randomBytes(32), hmacKey: randomBytes(32) };
}

export function ticketSealer(
  backend: BackendName,
  seed: string,
  {
    now = () => epoch,
    keys = [ticketKey(backend, 'first')],
    openingPeriod = Infinity,
  }: { now?: () => number; keys?: TicketKey[]; openingPeriod?: number } = {},
): { sealer: RingSealer; ring: KeyRing } {
  const crypto = seededCrypto(backend, `tickets ${seed}`);
  // Servers of the tests tell clients of lifetimes that no key has.
  const ring = new KeyRing({ crypto, now, keys, openingPeriod });
  return { sealer: new RingSealer({ keys: ring }), ring };
}

/** Answers that all take until the next microtask. */
export function promised(answers: Answers): Answers {
  return Object.fromEntries(
    Object.entries(answers).map(([need, answer]) => [
      need,
      (question: never) => Promise.resolve().then(() => (answer as (question: never) => unknown)(question)),
    ]),
  ) as unknown as Answers;
}

/** Two new connections; nothing has travelled yet. */
export function makePair(client: ClientSettings, server: ServerSettings, options: PairOptions = {}): Pair {
  const { driver = 'sync' } = options;
  return {
    client: makeEnd((own) => clientConnection(client, own), driver, options.client),
    server: makeEnd((own) => serverConnection(server, own), driver, options.server),
    segments: [],
  };
}

export function makeEnd(
  begin: (options: ConnectionOptions) => Connection,
  driver: DriverName,
  options: ConnectionOptions = {},
): End {
  const answers = { ...defaultAnswers, ...options.answers };
  const end: End = {
    connection: begin({
      ...options,
      driver: driver === 'sync' ? 'sync' : 'async',
      answers: driver === 'promises' ? promised(answers) : answers,
      wake: () => {
        end.wakes++;
        options.wake?.();
      },
    }),
    events: [],
    wakes: 0,
  };
  return end;
}

/** Moves bytes until neither side has any more to say for now. */
export function pump(pair: Pair): Pair {
  while (move(pair, 'client') || move(pair, 'server'));
  return pair;
}

/** What one end has to say goes to the other; whether it was anything. */
export function move(pair: Pair, from: 'client' | 'server'): boolean {
  const [sender, receiver] = from === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
  const bytes = sender.connection.takeOutput();
  sender.events.push(...sender.connection.takeEvents());
  if (bytes.length === 0) return false;
  pair.segments.push({ from, bytes });
  receiver.connection.receive(bytes);
  receiver.events.push(...receiver.connection.takeEvents());
  return true;
}

/** As {@link pump}, and waits for the answers that are promises. Gives up on answers that never come. */
export async function settle(pair: Pair): Promise<Pair> {
  for (let turn = 0; turn < 100; turn++) {
    pump(pair);
    if (!pair.client.connection.waiting && !pair.server.connection.waiting) return pair;
    await new Promise(setImmediate);
  }
  return pair;
}

/** Two settings to a settled pair. */
export function connect(client: ClientSettings, server: ServerSettings, options: PairOptions = {}): Promise<Pair> {
  return settle(makePair(client, server, options));
}

/** Takes what has come out of one end since the last time. */
export function drain(end: End): Uint8Array {
  const output = end.connection.takeOutput();
  end.events.push(...end.connection.takeEvents());
  return output;
}

type EventOf<T extends ConnectionEvent['type']> = Extract<ConnectionEvent, { type: T }>;

/** The events of one type, in order. */
export function eventsOf<T extends ConnectionEvent['type']>(end: End, type: T): EventOf<T>[] {
  return end.events.filter((event): event is EventOf<T> => event.type === type);
}

/** The one event of a type; fails where there is none, or more. */
export function theEvent<T extends ConnectionEvent['type']>(end: End, type: T): EventOf<T> {
  const events = eventsOf(end, type);
  if (events.length !== 1)
    throw new Error(
      `${events.length} events of type ${type} among: ${end.events.map((event) => event.type).join(', ')}`,
    );
  return events[0]!;
}
