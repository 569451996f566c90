/**
 * A TLS 1.3 connection between an honest end and one whose flow is honest too, but whose messages go through a hand on their way to
 * the record layer: whatever it says instead is under the right keys, and the transcript knows nothing of it.
 */
import { fromHex } from '../../src/bytes.js';
import { clientConnection, serverConnection } from '../../src/connection/connection.js';
import type { ConnectionEvent } from '../../src/connection/events.js';
import { isHelloRetryRequest } from '../../src/messages/index.js';
import { contentTypes } from '../../src/parameters.js';
import type { RecordLayer } from '../../src/record/record-layer.js';
import { rogueClient, rogueServer, type Rogue } from './attack-rig-tls13.js';
import { drain, makeEnd, move, type End } from './connections.js';
import type { Tls13Flow } from './flows-tls13.js';
import { itemName } from './replay.js';
import type { Side } from './traffic.js';

export interface Injection {
  readonly contentType: number;
  readonly bytes: Uint8Array;
}

/** What a hand can do in place of a message. */
export interface Pen {
  /** Under the keys of the moment; handshake messages share a record with what follows. */
  write(...injections: readonly Injection[]): void;
  /** Ends the record. */
  flush(): void;
  /** What was written so far reaches the target now, before anything else. */
  deliver(): void;
  /** Nothing that the flow wants to say goes out any more. */
  fallSilent(): void;
  readonly target: End;
}

/** Takes the `index`-th message of the flow, counted from 0, tickets included. */
export type Hand = (message: Injection, index: number, pen: Pen) => void;

export const honest: Hand = (message, _, pen) => pen.write(message);

/** At one message as `hand` says, and honest everywhere else. */
export const at =
  (place: number, hand: (message: Injection, pen: Pen) => void): Hand =>
  (message, index, pen) =>
    index === place ? hand(message, pen) : pen.write(message);

export class Sabotage {
  readonly flow: Tls13Flow;
  readonly target: End;
  readonly saboteur: Rogue;
  /** What the saboteur's flow wanted to say. */
  readonly meant: Injection[] = [];
  readonly #side: Side;
  readonly #hand: Hand;
  readonly #pieces: (bytes: Uint8Array) => readonly Uint8Array[];
  #silent = false;
  #records: RecordLayer | undefined;

  /** Plays the whole handshake. `pieces`: how the saboteur's bytes are cut on their way. */
  constructor(flow: Tls13Flow, side: Side, hand: Hand, pieces = (bytes: Uint8Array): readonly Uint8Array[] => [bytes]) {
    this.flow = flow;
    this.#side = side;
    this.#hand = hand;
    this.#pieces = pieces;
    const [client, server] = [flow.client(), flow.server()];
    this.target = makeEnd(
      (own) => (side === 'client' ? clientConnection(client, own) : serverConnection(server, own)),
      'sync',
    );
    const how = {
      transport: (records: RecordLayer) => {
        this.#records = records;
        return {
          writeHandshake: (message: Uint8Array) => this.#write(message, records),
          writeChangeCipherSpec: () => {
            if (!this.#silent) records.writeChangeCipherSpec();
          },
        };
      },
    };
    this.saboteur = side === 'client' ? rogueServer(server, how) : rogueClient(client, how);
    const sender = side === 'client' ? this.target : this.saboteur;
    if (!this.#silent && sender.connection.earlyDataAllowance > 0) sender.connection.writeEarlyData(flow.early);
    this.pump();
  }

  /** Speaks outside of the flow. */
  say(...injections: readonly Injection[]): this {
    this.#pen().write(...injections);
    this.pump();
    return this;
  }

  pump(): void {
    const { target, saboteur } = this;
    const ends = this.#side === 'client' ? { client: target, server: saboteur } : { client: saboteur, server: target };
    for (;;) {
      const bytes = drain(saboteur);
      for (const piece of bytes.length > 0 ? this.#pieces(bytes) : []) this.#hear(piece);
      const spoke = move({ ...ends, segments: [] }, this.#side);
      if (bytes.length === 0 && !spoke) return;
    }
  }

  get events(): readonly ConnectionEvent[] {
    return this.target.events;
  }

  #hear(bytes: Uint8Array): void {
    this.target.connection.receive(bytes);
    this.target.events.push(...this.target.connection.takeEvents());
  }

  #write(message: Uint8Array, records: RecordLayer): void {
    const item = { contentType: contentTypes.handshake, bytes: message };
    this.meant.push(item);
    if (!this.#silent) this.#hand(item, this.meant.length - 1, this.#pen(records));
  }

  #pen(records = this.#records): Pen {
    if (records === undefined) throw new Error('no record layer');
    return {
      target: this.target,
      write: (...injections) => {
        for (const { contentType, bytes } of injections)
          if (contentType === contentTypes.handshake) records.writeHandshake(bytes);
          else records.write(contentType, bytes);
      },
      flush: () => records.flush(),
      deliver: () => this.#hear(records.takeOutput()),
      fallSilent: () => (this.#silent = true),
    };
  }
}

export const changeCipherSpec: Injection = { contentType: contentTypes.change_cipher_spec, bytes: Uint8Array.of(1) };
export const applicationData: Injection = { contentType: contentTypes.application_data, bytes: fromHex('474554') };

/** `finished`, `hello_retry_request`, `change_cipher_spec`, ... */
export function nameOf(message: Injection): string {
  const name = itemName(message);
  return name === 'server_hello' && isHelloRetryRequest(message.bytes.subarray(4)) ? 'hello_retry_request' : name;
}
