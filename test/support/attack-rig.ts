/**
 * What the attack tests have in common: servers that share what an attacker wants them to share, a client without shame,
 * a man in the middle, and one line that says how a connection ended.
 */
import { concat } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { AlertError } from '../../src/errors.js';
import type { HandshakeMode } from '../../src/handshake/resumption.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import type { ClientHello, Extension, ServerHello } from '../../src/messages/index.js';
import { contentTypes } from '../../src/parameters.js';
import { Deframer } from '../../src/record/deframer.js';
import { HandshakeJoiner } from '../../src/record/handshake-joiner.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { Session, Tls12Session } from '../../src/sessions/session.js';
import type { KeyRing } from '../../src/tickets/key-ring.js';
import type { RingSealer } from '../../src/tickets/ring-sealer.js';
import { between } from './attack-rig-tls13.js';
import {
  drain,
  epoch,
  eventsOf,
  makePair,
  pump,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  type Changes,
  type End,
  type Pair,
} from './connections.js';
import type { BackendName } from './seeded.js';
import type { Side } from './traffic.js';

export type { Side };

/**
 * Whatever holds for one kind of resumption holds for the others (wolfSSL CVE-2026-11703 was one that did not). `psk` is a
 * ticket of TLS 1.3.
 */
export type Kind = Tls12Kind | 'psk';
export const kinds = ['session_id', 'ticket', 'psk'] as const;

export type Tls12Kind = 'session_id' | 'ticket';
export const tls12Kinds = ['session_id', 'ticket'] as const;

/** Servers made here share one session store or one ticket key, as the attack wants it. */
export interface World<K extends Kind = Kind> {
  readonly kind: K;
  readonly clock: { time: number };
  readonly store: MemoryStore;
  readonly sealer: RingSealer;
  readonly ring: KeyRing;
  server(changes?: Changes<ServerOptions>): ServerSettings;
  client(changes?: Changes<ClientOptions>): ClientSettings;
}

export function makeWorld<K extends Kind>(kind: K, backend: BackendName = 'node'): World<K> {
  const clock = { time: epoch };
  const now = () => clock.time;
  const store = new MemoryStore({ now, maxLifetime: 14 * 24 * 60 * 60 * 1000 });
  const { sealer, ring } = ticketSealer(backend, 'shared', { now });
  let made = 0;
  return {
    kind,
    clock,
    store,
    sealer,
    ring,
    server: (changes) =>
      testServer(backend, `world ${String(made++)}`, {
        now,
        ...(kind === 'session_id' ? { sessions: store } : { tickets: sealer }),
        ...(kind === 'psk' && { ...onlyTls13, ticketCount: 1 }),
        ...changes,
      }),
    client: (changes) =>
      testClient(backend, `world ${String(made++)}`, {
        now,
        tickets: kind !== 'session_id',
        ...(kind === 'psk' && onlyTls13),
        ...changes,
      }),
  };
}

const onlyTls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

/** Connects, and pumps until neither side has anything to say. */
export function connectSync(client: ClientSettings, server: ServerSettings): Pair {
  const isTls13 = server.versions.includes('TLSv1.3') && client.versions.includes('TLSv1.3');
  return isTls13 ? between(client, server) : pump(makePair(client, server));
}

/** The session that a connection leaves with the client. */
export function sessionOf(pair: Pair): Session {
  return theEvent(pair.client, 'session').session;
}

/** The session of TLS 1.2 that a connection leaves with the client. */
export function tls12SessionOf(pair: Pair): Tls12Session {
  const session = sessionOf(pair);
  if (session.version !== 'TLSv1.2') throw new Error(`a session of ${session.version}`);
  return session;
}

/** The mode of a handshake that resumes this way. */
export function modeOf(kind: Kind): HandshakeMode {
  return kind === 'psk' ? 'psk_dhe_ke' : kind;
}

/** What two sessions never have in common. */
export function secretOf(session: Session): Uint8Array {
  return session.version === 'TLSv1.2' ? session.masterSecret : session.psk;
}

/** Under what a client keeps sessions of this kind. */
export function cacheKey(kind: Kind, settings: ClientSettings): Uint8Array {
  return kind === 'psk' ? settings.tls13SessionKey : settings.sessionKey;
}

/**
 * A client that offers `session` wherever its settings lead it: whatever would keep an honest one from doing so, it lies
 * about to itself.
 */
export function shameless(settings: ClientSettings, session: Session): ClientSettings {
  const { serverName: _made, ...rest } = session;
  const { serverName, binding, cipherSuites, now } = settings;
  const lies = {
    applicationContext: binding.applicationContext,
    establishedAt: now(),
    issuedAt: now(),
    ...(serverName !== undefined && { serverName }),
  };
  if (rest.version === 'TLSv1.3') return { ...settings, offeredSessions: [{ ...rest, ...lies }] };
  const [suite = rest.cipherSuite] = cipherSuites;
  const cipherSuite = cipherSuites.includes(rest.cipherSuite) ? rest.cipherSuite : suite;
  return { ...settings, offeredSessions: [{ ...rest, ...lies, cipherSuite, extendedMasterSecret: true }] };
}

/** Offers the session that `first` left, by a client that knows no shame. */
export function offer(first: Pair, client: ClientSettings, server: ServerSettings): Pair {
  return connectSync(shameless(client, sessionOf(first)), server);
}

/**
 * How it ended, as the server saw it: `ticket`, `psk`, `full: server_name_mismatch`, or who refused with which alert:
 * `server: handshake_failure`.
 */
export function outcome({ client, server }: Pair): string {
  const [handshake] = eventsOf(server, 'handshake');
  const refusal = refusalBy(client, 'client') ?? refusalBy(server, 'server');
  if (refusal !== undefined) return refusal;
  if (handshake === undefined) return 'nothing';
  const mode = handshake.mode === 'psk_dhe_ke' ? 'psk' : handshake.mode;
  return handshake.reason === undefined ? mode : `${mode}: ${handshake.reason}`;
}

function refusalBy(end: End, side: Side): string | undefined {
  const [close] = eventsOf(end, 'close');
  return close?.error instanceof AlertError ? `${side}: ${close.error.alert}` : undefined;
}

/** A record in the clear: one handshake message, or the payload of another type. */
export interface ClearItem {
  readonly from: Side;
  readonly contentType: number;
  readonly bytes: Uint8Array;
}

/** What goes on to the other side in place of an item. */
export type Middleman = (item: ClearItem) => readonly Pick<ClearItem, 'contentType' | 'bytes'>[];

/** What goes on in place of a record that is encrypted. */
export type Tamperer = (sealed: { readonly from: Side; readonly record: Uint8Array }) => Uint8Array;

/** Breaks the first encrypted record of one side: its Finished. */
export function breakingFinished(side: Side): Tamperer {
  let broken = false;
  return ({ from, record }) => {
    if (from !== side || broken) return record;
    broken = true;
    return record.map((byte, i) => (i === record.length - 1 ? byte ^ 1 : byte));
  };
}

/** Lets everything in the clear pass. */
export const passing: Middleman = (item) => [item];

/** As `pump`, with somebody between the two who rewrites what is in the clear. `segments` has what was sent. */
export function pumpThrough(pair: Pair, middleman: Middleman, tamper: Tamperer = ({ record }) => record): Pair {
  const readers = { client: new ClearReader('client'), server: new ClearReader('server') };
  const move = (from: Side): boolean => {
    const [sender, receiver] = from === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
    const output = drain(sender);
    if (output.length === 0) return false;
    pair.segments.push({ from, bytes: output });
    for (const part of readers[from].read(output))
      for (const bytes of 'contentType' in part ? middleman(part).map(toRecord) : [tamper(part)])
        receiver.connection.receive(bytes);
    drainEvents(receiver);
    return true;
  };
  while (move('client') || move('server'));
  return pair;
}

function drainEvents(end: End): void {
  end.events.push(...end.connection.takeEvents());
}

export function toRecord({ contentType, bytes }: Pick<ClearItem, 'contentType' | 'bytes'>): Uint8Array {
  return concat(Uint8Array.of(contentType, 3, 3, bytes.length >> 8, bytes.length & 0xff), bytes);
}

/** Takes a direction apart: items while it is in the clear, whole records after ChangeCipherSpec. */
class ClearReader {
  readonly #from: Side;
  readonly #deframer = new Deframer();
  readonly #joiner = new HandshakeJoiner(2 ** 20);
  #encrypted = false;

  constructor(from: Side) {
    this.#from = from;
  }

  read(output: Uint8Array): (ClearItem | Parameters<Tamperer>[0])[] {
    const parts: (ClearItem | Parameters<Tamperer>[0])[] = [];
    this.#deframer.push(output.slice());
    for (let raw = this.#deframer.next(); raw !== undefined; raw = this.#deframer.next()) {
      const { contentType, fragment } = raw;
      if (this.#encrypted) parts.push({ from: this.#from, record: toRecord({ contentType, bytes: fragment }) });
      else if (contentType === contentTypes.handshake) {
        this.#joiner.push(fragment, false);
        for (let message = this.#joiner.next(); message !== undefined; message = this.#joiner.next())
          parts.push({ from: this.#from, contentType, bytes: message.bytes });
      } else parts.push({ from: this.#from, contentType, bytes: fragment.slice() });
      this.#encrypted ||= contentType === contentTypes.change_cipher_spec;
    }
    return parts;
  }
}

type Message = HandshakeMessage<'TLSv1.2'>;

/** The message in an item, if it is a handshake message. */
export function messageIn({ contentType, bytes }: Pick<ClearItem, 'contentType' | 'bytes'>): Message | undefined {
  return contentType === contentTypes.handshake ? decodeHandshake('TLSv1.2', bytes) : undefined;
}

/** `client_hello`, or `change_cipher_spec`, `alert`. */
export function nameOf(item: Pick<ClearItem, 'contentType' | 'bytes'>): string {
  return (
    messageIn(item)?.type ?? (item.contentType === contentTypes.change_cipher_spec ? 'change_cipher_spec' : 'alert')
  );
}

/** Rewrites the ClientHello; lets everything else pass. */
export function rewritingClientHello(rewrite: (hello: ClientHello) => ClientHello): Middleman {
  return (item) => {
    const message = messageIn(item);
    return message?.type === 'client_hello' ? [handshakeItem({ ...message, body: rewrite(message.body) })] : [item];
  };
}

/** Rewrites the ServerHello; lets everything else pass. */
export function rewritingServerHello(rewrite: (hello: ServerHello) => ServerHello): Middleman {
  return (item) => {
    const message = messageIn(item);
    return message?.type === 'server_hello' ? [handshakeItem({ ...message, body: rewrite(message.body) })] : [item];
  };
}

export function handshakeItem(message: Message): Pick<ClearItem, 'contentType' | 'bytes'> {
  return { contentType: contentTypes.handshake, bytes: encodeHandshake('TLSv1.2', message) };
}

/** Extensions without those of one type. */
export function without<E extends Extension<'client_hello'> | Extension<'server_hello'>>(
  extensions: readonly E[] | undefined,
  type: E['type'],
): E[] {
  return (extensions ?? []).filter((extension) => extension.type !== type);
}

/** What one side sent before it went encrypted. */
export function clearItems(pair: Pair, side: Side): ClearItem[] {
  const reader = new ClearReader(side);
  return pair.segments
    .filter(({ from }) => from === side)
    .flatMap(({ bytes }) => reader.read(bytes))
    .filter((part) => 'contentType' in part);
}

/** `server_hello`, `certificate`, ... In TLS 1.3 with what is encrypted, of pairs that {@link connectSync} made. */
export function serverFlight(pair: Pair): string[] {
  if ('said' in pair.server) return pair.server.said as string[];
  return clearItems(pair, 'server').map(nameOf);
}
