/**
 * Two QUIC handshakes and what a stack does between them: CRYPTO data in pieces of any size, held back until the secret to read
 * its level is there. Nothing is protected, so that a test can say anything at any level.
 */
import { join } from '../../src/bytes.js';
import { defaultAnswers } from '../../src/connection/answers.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import {
  quicClient,
  quicServer,
  type CryptoData,
  type EncryptionLevel,
  type QuicEvent,
  type QuicHandshake,
  type QuicHandshakeOptions,
} from '../../src/connection/quic.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import {
  epoch,
  promised,
  ticketSealer,
  tls13Client,
  tls13Server,
  type Changes,
  type DriverName,
} from './connections.js';

export interface QuicEnd {
  readonly quic: QuicHandshake;
  readonly events: QuicEvent[];
  /** Everything that it said. */
  readonly said: CryptoData[];
  /** What came before its secret. */
  held: CryptoData[];
}

export interface QuicPair {
  readonly client: QuicEnd;
  readonly server: QuicEnd;
}

interface QuicPairOptions {
  readonly driver?: DriverName;
  readonly client?: QuicHandshakeOptions;
  readonly server?: QuicHandshakeOptions;
}

export const clientParameters = Uint8Array.of(1, 2, 3);
export const serverParameters = Uint8Array.of(4, 5, 6, 7);

/** Servers that share one ticket key and one replay guard, their clients, and a clock. */
export function makeQuicWorld() {
  const clock = { time: epoch };
  const now = () => clock.time;
  const replayGuard = new MemoryReplayGuard({ now });
  const { sealer } = ticketSealer('node', 'quic', { now });
  const earlyData = { maxSize: 1000, replayGuard, ticketsAreOfThisProcessAlone: true };
  let made = 0;
  const world = {
    clock,
    sealer,
    client: (changes: Changes<ClientOptions> = {}) =>
      tls13Client('node', `quic ${String(made++)}`, { now, ...quic(clientParameters), ...changes }),
    server: (changes: Changes<ServerOptions> = {}) =>
      tls13Server('node', `quic ${String(made++)}`, {
        now,
        tickets: sealer,
        earlyData,
        ...quic(serverParameters),
        ...changes,
      }),
    pair: (
      client: Changes<ClientOptions> = {},
      server: Changes<ServerOptions> = {},
      options: QuicPairOptions = {},
    ): QuicPair => {
      const [clientSettings, serverSettings] = [world.client(client), world.server(server)];
      return {
        client: quicEnd((own) => quicClient(clientSettings, own), options.driver, options.client),
        server: quicEnd((own) => quicServer(serverSettings, own), options.driver, options.server),
      };
    },
    connect: (client?: Changes<ClientOptions>, server?: Changes<ServerOptions>) => pumpQuic(world.pair(client, server)),
    /** A ticket of a full handshake, a second ago. */
    session: (client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Tls13Session => {
      const [event] = quicEvents(world.connect(client, server).client, 'session');
      if (event?.session.version !== 'TLSv1.3') throw new Error('no ticket came');
      clock.time += 1000;
      return event.session;
    },
  };
  return world;
}

function quic(quicTransportParameters: Uint8Array) {
  return { transport: 'quic', quicTransportParameters } as const;
}

export function quicEnd(
  begin: (options: QuicHandshakeOptions) => QuicHandshake,
  driver: DriverName = 'sync',
  options: QuicHandshakeOptions = {},
): QuicEnd {
  const answers = { ...defaultAnswers, ...options.answers };
  const made = begin({
    ...options,
    driver: driver === 'sync' ? 'sync' : 'async',
    answers: driver === 'promises' ? promised(answers) : answers,
  });
  return { quic: made, events: [], said: [], held: [] };
}

/** Moves CRYPTO data, in pieces of at most `size` bytes, until neither side has any more to say for now. */
export function pumpQuic(pair: QuicPair, size = Infinity): QuicPair {
  const { client, server } = pair;
  let moved = true;
  while (moved) {
    moved = false;
    for (const [sender, receiver] of [[client, server] as const, [server, client] as const]) {
      const output = drainQuic(sender);
      moved ||= output.length > 0;
      for (const { level, data } of output) hear(receiver, level, data, size);
    }
  }
  return pair;
}

/** As {@link pumpQuic}, and waits for the answers that are promises. */
export async function settleQuic(pair: QuicPair): Promise<QuicPair> {
  for (let turn = 0; turn < 200; turn++) {
    pumpQuic(pair);
    hear(pair.client);
    hear(pair.server);
    pumpQuic(pair);
    if (!pair.client.quic.waiting && !pair.server.quic.waiting) return pair;
    await new Promise(setImmediate);
  }
  return pair;
}

/** Takes what one end has to say, and what it tells. */
export function drainQuic(end: QuicEnd): CryptoData[] {
  const output = end.quic.takeOutput();
  end.said.push(...output);
  end.events.push(...end.quic.takeEvents());
  return output;
}

/** Hands over what was held, and more, as far as there are secrets to read it by. */
export function hear(end: QuicEnd, level?: EncryptionLevel, data?: Uint8Array, size = Infinity): void {
  if (level !== undefined && data !== undefined) end.held.push({ level, data });
  const held = end.held;
  end.held = [];
  for (const piece of held) {
    if (!canRead(end, piece.level)) end.held.push(piece);
    else
      for (let at = 0; at < piece.data.length; at += size) {
        end.quic.receive(piece.level, piece.data.subarray(at, Math.min(piece.data.length, at + size)));
        end.events.push(...end.quic.takeEvents());
      }
  }
}

function canRead(end: QuicEnd, level: EncryptionLevel): boolean {
  return (
    level === 'initial' ||
    quicEvents(end, 'secret').some((event) => event.direction === 'read' && event.level === level)
  );
}

type EventOf<T extends QuicEvent['type']> = Extract<QuicEvent, { type: T }>;

export function quicEvents<T extends QuicEvent['type']>(end: QuicEnd, type: T): EventOf<T>[] {
  return end.events.filter((event): event is EventOf<T> => event.type === type);
}

/** `full`, `psk_dhe_ke`; or `close 0x12f`, by what CONNECTION_CLOSE says; or `nothing`. */
export function fate(end: QuicEnd): string {
  end.events.push(...end.quic.takeEvents());
  const [close] = quicEvents(end, 'close');
  if (close !== undefined) return `close 0x${close.transportError.toString(16)}`;
  return quicEvents(end, 'handshake')[0]?.mode ?? 'nothing';
}

type Tls13Message = HandshakeMessage<'TLSv1.3'>;
type BodyOf<T extends Tls13Message['type']> = Extract<Tls13Message, { readonly type: T }>['body'];

/** CRYPTO data with another first message. */
export function editFirst<T extends Tls13Message['type']>(
  data: Uint8Array,
  type: T,
  edit: (body: BodyOf<T>) => BodyOf<T>,
): Uint8Array {
  const length = 4 + ((data[1]! << 16) | (data[2]! << 8) | data[3]!);
  const first: { readonly type: unknown; readonly body: unknown } = decodeHandshake('TLSv1.3', data.slice(0, length));
  if (first.type !== type) throw new Error(`the first message is ${String(first.type)}`);
  const body = edit(first.body as BodyOf<T>);
  return join([encodeHandshake('TLSv1.3', { type, body } as Tls13Message), data.subarray(length)]);
}
