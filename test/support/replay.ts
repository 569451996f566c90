/**
 * Flows that were recorded once and can be spoken again to either side alone, with changes. Settings draw from seeds, so the
 * side under test answers as it did, and what its peer said then still fits.
 */
import { ascii, equal, toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { clientConnection, serverConnection, type ConnectionOptions } from '../../src/connection/connection.js';
import type { ConnectionEvent } from '../../src/connection/events.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import { contentTypes, handshakeTypes } from '../../src/parameters.js';
import type { RecordProtection } from '../../src/record/protection.js';
import type { Session } from '../../src/sessions/session.js';
import type { Segment } from '../../src/cli/figure.js';
import { clientCredentials } from './credentials.js';
import {
  drain,
  eventsOf,
  makeEnd,
  makePair,
  pump,
  testClient,
  testServer,
  ticketKey,
  ticketSealer,
  type Changes,
  type End,
} from './connections.js';
import { RecordingStore } from './recording-store.js';
import { readTraffic, trafficKeys, type Item, type Side } from './traffic.js';

/** Every call makes new settings that behave as the last did. */
export interface Flow {
  readonly name: string;
  readonly client: (changes?: Changes<ClientOptions>) => ClientSettings;
  readonly server: (changes?: Changes<ServerOptions>) => ServerSettings;
}

interface Parts {
  readonly client?: Changes<ClientOptions>;
  /** The store's contents come from the connection before. */
  readonly server?: (store: RecordingStore) => Changes<ServerOptions>;
}

/** The replays run on the fast backend; that the other says the same is a property of its own. */
const backend = 'node';

function fullFlow(name: string, { client, server }: Parts): Flow {
  return {
    name,
    client: (changes) => testClient(backend, name, { ...client, ...changes }),
    server: (changes) => testServer(backend, name, { ...server?.(new RecordingStore()), ...changes }),
  };
}

/** A resumption of the session that `first` made. */
function resumedFlow(name: string, first: Flow, { client, server }: Parts): Flow {
  let prepared: { session: Session; entries: ReadonlyMap<string, Uint8Array> } | undefined;
  const prepare = () => {
    if (prepared !== undefined) return prepared;
    const store = new RecordingStore();
    const settings = first.server();
    const pair = pump(makePair(first.client(), settings.sessions ? { ...settings, sessions: store } : settings));
    return (prepared = { session: eventsOf(pair.client, 'session')[0]!.session, entries: store.entries });
  };
  return {
    name,
    client: (changes) => testClient(backend, name, { session: prepare().session, ...client, ...changes }),
    server: (changes) => testServer(backend, name, { ...server?.(new RecordingStore(prepare().entries)), ...changes }),
  };
}

const tickets = (seed: string, ...keys: string[]) => ({
  tickets: ticketSealer(backend, seed, { keys: keys.map((name) => ticketKey(backend, name)) }).sealer,
});

const withSessionId = fullFlow('full, session ID', {
  client: { tickets: false },
  server: (store) => ({ sessions: store }),
});
const withTicket = fullFlow('full, ticket', { server: () => tickets('full', 'first') });
const mutual = fullFlow('full, client certificate, ticket', {
  client: { credentials: [clientCredentials] },
  server: () => ({ ...tickets('mutual', 'first'), clientAuthentication: 'require' }),
});

/** What both sides of a flow with ECDHE_PSK have. */
export const tls12Psk = { identity: ascii('a device'), key: new Uint8Array(32).fill(7) };
const findTls12Psk = (identity: Uint8Array) => (equal(identity, tls12Psk.identity) ? tls12Psk.key : undefined);
const psk = fullFlow('full, PSK, ticket', {
  client: { selectTls12Psk: () => tls12Psk },
  server: () => ({ ...tickets('psk', 'first'), findTls12Psk, tls12PskIdentityHint: ascii('a hint') }),
});

/** The flows that differ in what is waited for. */
export const flows = {
  full: fullFlow('full', {}),
  withSessionId,
  withTicket,
  mutual,
  mutualWithoutCertificate: fullFlow('full, client without certificate', {
    server: () => ({ clientAuthentication: 'request' }),
  }),
  sessionId: resumedFlow('by session ID', withSessionId, {
    client: { tickets: false },
    server: (store) => ({ sessions: store }),
  }),
  ticket: resumedFlow('by ticket', withTicket, { server: () => tickets('resumed', 'first') }),
  renewed: resumedFlow('by ticket, renewed', withTicket, { server: () => tickets('renewed', 'second', 'first') }),
  psk,
  pskTicket: resumedFlow('by ticket, PSK', psk, {
    client: { selectTls12Psk: () => tls12Psk },
    server: () => ({ ...tickets('psk resumed', 'first'), findTls12Psk }),
  }),
  refused: resumedFlow('ticket refused', withTicket, { server: () => tickets('refused', 'second') }),
} satisfies Record<string, Flow>;

export const sides = ['client', 'server'] as const;
export const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/** The whole flow as both sides had it, in messages and in bytes. */
export interface Recording {
  readonly flow: Flow;
  readonly items: readonly Item[];
  readonly segments: readonly Segment[];
  readonly ends: Readonly<Record<Side, End>>;
}

export function record(flow: Flow): Recording {
  let keyLog = '';
  const client = flow.client({ keyLog: (line) => (keyLog = line) });
  const { segments, ...ends } = pump(makePair(client, flow.server()));
  return { flow, segments, ends, items: readTraffic(segments, keyLog) };
}

/** What one side said, in messages. */
export const itemsFrom = ({ items }: Recording, from: Side) => items.filter((item) => item.from === from);

interface ReplayOptions extends ConnectionOptions {
  readonly clientChanges?: Changes<ClientOptions>;
  readonly serverChanges?: Changes<ServerOptions>;
}

/** One side of a flow, newly begun, and a peer that says what the test wants. */
export class Replay {
  readonly target: Side;
  readonly end: End;
  readonly #segments: Segment[] = [];
  #keyLog = '';
  #protection: RecordProtection | undefined;
  #itemsSeen = 0;
  #eventsSeen = 0;

  constructor(flow: Flow, target: Side, options: ReplayOptions = {}) {
    const { clientChanges, serverChanges, ...connectionOptions } = options;
    const keyLog = (line: string) => (this.#keyLog = line);
    this.target = target;
    this.end = makeEnd(
      (own) =>
        target === 'client'
          ? clientConnection(flow.client({ keyLog, ...clientChanges }), own)
          : serverConnection(flow.server({ keyLog, ...serverChanges }), own),
      'sync',
      connectionOptions,
    );
    this.#drain();
  }

  /** Speaks for the peer: in the clear, or under its keys after its ChangeCipherSpec, as far as the target has keys by then. */
  send(...items: readonly Pick<Item, 'contentType' | 'bytes'>[]): this {
    for (const item of items) {
      this.sendBytes(this.seal(item));
      if (item.contentType === contentTypes.change_cipher_spec && this.#keyLog !== '')
        this.#protection ??= trafficKeys(this.#items(), this.#keyLog).protection(otherSide(this.target));
    }
    return this;
  }

  /** The record that {@link send} would send next. */
  seal({ contentType, bytes }: Pick<Item, 'contentType' | 'bytes'>): Uint8Array {
    const length = bytes.length + (this.#protection?.sealedLength(0) ?? 0);
    const record = new Uint8Array(5 + length);
    record.set([contentType, 3, 3, length >> 8, length & 0xff]);
    if (this.#protection === undefined) record.set(bytes, 5);
    else this.#protection.seal(contentType, bytes, record.subarray(5));
    return record;
  }

  sendBytes(bytes: Uint8Array): this {
    this.#segments.push({ from: otherSide(this.target), bytes: bytes.slice() });
    this.end.connection.receive(bytes);
    this.#drain();
    return this;
  }

  /** What the target has said since the last call. */
  said(): Item[] {
    this.#drain();
    const items = this.#items().filter(({ from }) => from === this.target);
    const fresh = items.slice(this.#itemsSeen);
    this.#itemsSeen = items.length;
    return fresh;
  }

  /** What the target has told its owner since the last call. */
  events(): ConnectionEvent[] {
    this.#drain();
    const fresh = this.end.events.slice(this.#eventsSeen);
    this.#eventsSeen = this.end.events.length;
    return fresh;
  }

  #drain(): void {
    const bytes = drain(this.end);
    if (bytes.length > 0) this.#segments.push({ from: this.target, bytes });
  }

  #items(): Item[] {
    // What the peer said may be nonsense: only its hellos are needed.
    return readTraffic(this.#segments, this.#keyLog, this.target);
  }
}

/** `client_hello`, `change_cipher_spec`, ... */
export function itemName({ contentType, bytes }: Pick<Item, 'contentType' | 'bytes'>): string {
  const names = contentType === contentTypes.handshake ? handshakeTypes : contentTypes;
  const number = contentType === contentTypes.handshake ? bytes[0] : contentType;
  return Object.entries(names).find(([, value]) => value === number)?.[0] ?? toHex(bytes.subarray(0, 1));
}
