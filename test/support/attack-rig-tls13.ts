/**
 * Peers of TLS 1.3 that break rules from within: one end of a connection whose flow is ours, so that its keys and transcript are
 * right, and whose messages and records are not.
 */
import { toHex } from '../../src/bytes.js';
import { Connection, type ConnectionOptions } from '../../src/connection/connection.js';
import type { HashAlgorithm } from '../../src/crypto/backend.js';
import { hashLength } from '../../src/crypto/backend.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import type { HandshakeBase, HandshakeTransport } from '../../src/handshake/handshake-base.js';
import { clientHandshake } from '../../src/handshake/client.js';
import { HandshakeState } from '../../src/handshake/handshake-state.js';
import { serverHandshake } from '../../src/handshake/server.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import { Tls13KeySchedule, type PskKind } from '../../src/key-schedule/tls13.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import {
  findExtension,
  isHelloRetryRequest,
  truncateClientHello,
  writeBinders,
  type ClientHello,
  type Extension,
} from '../../src/messages/index.js';
import { contentTypes, handshakeTypes } from '../../src/parameters.js';
import { RecordLayer } from '../../src/record/record-layer.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import {
  drain,
  epoch,
  eventsOf,
  makeEnd,
  pump,
  ticketSealer,
  tls13Client,
  tls13Server,
  type Changes,
  type DriverName,
  type End,
  type Pair,
} from './connections.js';
import type { BackendName } from './seeded.js';
import type { Side } from './traffic.js';

export type Tls13Message = HandshakeMessage<'TLSv1.3'>;

/** What an end does in place of what its flow wants. */
export interface Misbehaviour {
  /** The messages that are sent, and hashed, in place of one of the handshake. */
  readonly says?: (message: Tls13Message, hs: AnyRogue) => readonly (Tls13Message | Uint8Array)[];
  /** What the flow's calls to the record layer come to. */
  readonly transport?: (records: RecordLayer) => Partial<HandshakeTransport>;
}

export interface Rogue extends End {
  /** For records at any time, under the keys of that time. */
  readonly records: RecordLayer;
  readonly hs: AnyRogue;
  /** The messages that its flow wanted to send, tickets and key updates included. */
  readonly said: readonly string[];
}

export function rogueClient(settings: ClientSettings, how: Misbehaviour = {}, options: RogueOptions = {}): Rogue {
  const begin = (transport: HandshakeTransport) => {
    const state = new RogueState('client', settings, transport, how.says);
    return { state, flow: clientHandshake(state) };
  };
  return rogue('client', begin, how, options);
}

export function rogueServer(settings: ServerSettings, how: Misbehaviour = {}, options: RogueOptions = {}): Rogue {
  const begin = (transport: HandshakeTransport) => {
    const state = new RogueState('server', settings, transport, how.says);
    return { state, flow: serverHandshake(state) };
  };
  return rogue('server', begin, how, options);
}

interface RogueOptions extends ConnectionOptions {
  readonly named?: DriverName;
}

interface Begun {
  readonly state: RogueState<ClientSettings> | RogueState<ServerSettings>;
  readonly flow: ReturnType<typeof clientHandshake>;
}

function rogue(
  role: Side,
  begin: (transport: HandshakeTransport) => Begun,
  { transport }: Misbehaviour,
  { named = 'sync', ...options }: RogueOptions,
): Rogue {
  const said: string[] = [];
  let made: { records: RecordLayer; hs: Begun['state'] } | undefined;
  const end = makeEnd(
    (own) =>
      new Connection(
        role,
        (given) => {
          if (!(given instanceof RecordLayer)) throw new Error('no record layer');
          const begun = begin({ ...transportOf(given, said), ...transport?.(given) });
          made = { records: given, hs: begun.state };
          return begun;
        },
        own,
      ),
    named,
    options,
  );
  if (made === undefined) throw new Error('a connection begins at once');
  return Object.assign(end, made, { said });
}

class RogueState<Settings extends ClientSettings | ServerSettings> extends HandshakeState<Settings> {
  readonly #says: Misbehaviour['says'];

  constructor(role: Side, settings: Settings, transport: HandshakeTransport, says: Misbehaviour['says']) {
    super(role, settings, transport);
    this.#says = says;
  }

  override sendBytes(bytes: Uint8Array): Uint8Array {
    if (this.#says === undefined) return super.sendBytes(bytes);
    const meant = decodeHandshake('TLSv1.3', bytes);
    for (const message of this.#says(meant, this))
      super.sendBytes(
        message instanceof Uint8Array ? message : message === meant ? bytes : encodeHandshake('TLSv1.3', message),
      );
    return bytes;
  }
}

/** The handshake of a rogue, seen from its callbacks. */
export type AnyRogue = HandshakeBase<ClientSettings | ServerSettings>;

function transportOf(records: RecordLayer, said: string[]): HandshakeTransport {
  return {
    writeHandshake: (message) => {
      said.push(typeOf(message));
      records.writeHandshake(message);
    },
    writeChangeCipherSpec: () => records.writeChangeCipherSpec(),
    versionNegotiated: () => records.versionNegotiated(),
    endMessages: () => records.endMessages(),
    limitRecordSize: (write, read) => records.limitRecordSize(write, read),
    changeReadProtection: (protection) => records.changeReadProtection(protection),
    changeWriteProtection: (protection) => records.changeWriteProtection(protection),
    changeReadKeys: (level, keys) => records.changeReadKeys(level, keys),
    changeWriteKeys: (level, keys) => records.changeWriteKeys(level, keys),
    dropWriteProtection: () => records.dropWriteProtection(),
    skipEarlyData: (until, limit) => records.skipEarlyData(until, limit),
    stopSkipping: () => records.stopSkipping(),
  };
}

/** `client_hello`, `hello_retry_request`, ... */
export /** The name of an encoded message. */
function typeOf(message: Uint8Array): string {
  if (message[0] === handshakeTypes.server_hello && isHelloRetryRequest(message.subarray(4)))
    return 'hello_retry_request';
  return Object.entries(handshakeTypes).find(([, number]) => number === message[0])?.[0] ?? String(message[0]);
}

/** A ClientHello of these contents, with binders that are right for these keys; `undefined` leaves one as it is. */
export function boundHello(hs: AnyRogue, body: ClientHello, keys: readonly (PskKey | undefined)[]): Uint8Array {
  const offered = findExtension(body.extensions, 'pre_shared_key');
  if (offered === undefined) throw new Error('no pre_shared_key');
  const sized = offered.binders.map((binder, i) => {
    const key = keys[i];
    return key === undefined ? binder : new Uint8Array(hashLength[key.hash]);
  });
  const extensions = (body.extensions ?? []).map((extension) =>
    extension.type === 'pre_shared_key' ? { ...extension, data: { ...offered, binders: sized } } : extension,
  );
  const bytes = encodeHandshake('TLSv1.3', { type: 'client_hello', body: { ...body, extensions } });
  const truncated = truncateClientHello(bytes, sized);
  const binders = sized.map((binder, i) => {
    const key = keys[i];
    if (key === undefined) return binder;
    const { hash, kind = 'resumption', psk } = key;
    const schedule = new Tls13KeySchedule(hs.settings.crypto, hash, psk);
    return schedule.binder(kind, hs.transcript.digestUnder(hash, truncated));
  });
  writeBinders(bytes, binders);
  return bytes;
}

export interface PskKey {
  readonly hash: HashAlgorithm;
  readonly psk: Uint8Array;
  readonly kind?: PskKind;
}

type HelloExtension = Extension<'client_hello'>;

/** A hello with other extensions. */
export function reshaped(
  body: ClientHello,
  reshape: (extensions: readonly HelloExtension[]) => readonly HelloExtension[],
): ClientHello {
  return { ...body, extensions: [...reshape(body.extensions ?? [])] };
}

/** Servers that read early data and share a ticket key, and their clients. */
export interface Tls13World {
  readonly clock: { time: number };
  readonly now: () => number;
  readonly guard: MemoryReplayGuard;
  readonly sealer: ReturnType<typeof ticketSealer>['sealer'];
  server(changes?: Changes<ServerOptions>): ServerSettings;
  client(changes?: Changes<ClientOptions>): ClientSettings;
  /** A ticket, and a second later. */
  session(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Tls13Session;
}

export const maxEarlyData = 2000;

export function makeTls13World(backend: BackendName = 'node'): Tls13World {
  const clock = { time: epoch };
  const now = () => clock.time;
  const guard = new MemoryReplayGuard({ now });
  const { sealer } = ticketSealer(backend, 'shared', { now });
  let made = 0;
  const world: Tls13World = {
    clock,
    now,
    guard,
    sealer,
    server: (changes) => {
      const earlyData = { maxSize: maxEarlyData, replayGuard: guard, ticketsAreOfThisProcessAlone: true };
      return tls13Server(backend, `world ${made++}`, { now, tickets: sealer, earlyData, ticketCount: 1, ...changes });
    },
    client: (changes) => tls13Client(backend, `world ${made++}`, { now, ...changes }),
    session: (client, server) => {
      const [session] = sessionsOf(between(world.client(client), world.server(server)));
      if (session === undefined) throw new Error('no ticket came');
      clock.time += 1000;
      return session;
    },
  };
  return world;
}

export function pairOf(client: End, server: End): Pair {
  return { client, server, segments: [] };
}

/** Two honest ends, pumped, of whose messages we know. */
export function between(client: ClientSettings, server: ServerSettings): Pair & { client: Rogue; server: Rogue } {
  const pair = { client: rogueClient(client), server: rogueServer(server), segments: [] };
  pump(pair);
  return pair;
}

export function sessionsOf({ client }: Pick<Pair, 'client'>): Tls13Session[] {
  return eventsOf(client, 'session').flatMap(({ session }) => (session.version === 'TLSv1.3' ? [session] : []));
}

/** Whatever of events and errors could end up in a log, in text and in hex: everything but sessions. */
export function loggable(end: End): string {
  return end.events.map((event) => (event.type === 'session' ? '' : textOf(event))).join('\n');
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Error) {
    const own = Object.entries(value).map(([, field]) => textOf(field));
    return [value.message, value.stack ?? '', textOf(value.cause), ...own].join(' ');
  }
  if (typeof value === 'object' && value !== null) return Object.values(value).map(textOf).join(' ');
  return String(value);
}

/** The secrets of key log lines, in hex. */
export function secretsIn(lines: readonly string[]): string[] {
  return lines.map((line) => line.split(' ')[2] ?? '');
}

/** One alert record. */
export function sayAlert(records: RecordLayer, level: number, description: number): void {
  records.write(contentTypes.alert, Uint8Array.of(level, description));
}

/** Waits for the answers that one end awaits, and takes its events. Gives up on answers that never come. */
export async function waitFor(end: End): Promise<void> {
  for (let turn = 0; turn < 20 && end.connection.waiting; turn++) await new Promise(setImmediate);
  end.events.push(...end.connection.takeEvents());
}

/** Hands what one end has to say to the other, once. */
export function pass(from: End, to: End): Uint8Array {
  const bytes = drain(from);
  if (bytes.length > 0) to.connection.receive(bytes);
  to.events.push(...to.connection.takeEvents());
  return bytes;
}

/** A client and a server that have to go through a HelloRetryRequest. */
export const retryingClient: Changes<ClientOptions> = {
  groups: ['secp256r1', 'x25519'],
  keyShareGroups: ['secp256r1'],
};
export const retryingServer: Changes<ServerOptions> = { groups: ['x25519'] };

/** Changes the n-th ClientHello (0 is the first) and leaves everything else. */
export function changingHello(
  n: number,
  change: (body: ClientHello, hs: AnyRogue) => ClientHello | Uint8Array,
): Misbehaviour {
  let hellos = 0;
  return {
    says: (message, hs) => {
      if (message.type !== 'client_hello' || hellos++ !== n) return [message];
      const changed = change(message.body, hs);
      return [changed instanceof Uint8Array ? changed : { type: 'client_hello', body: changed }];
    },
  };
}
