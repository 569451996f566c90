/**
 * Ends of connections that are watched: what alerts they write, and what their peer may hear of it. Whatever a peer says, an end
 * stays orderly, and the fault is never ours.
 */
import { alertDescriptions } from '../../src/alert.js';
import { ascii, equal, toHex } from '../../src/bytes.js';
import { Connection, type ConnectionOptions } from '../../src/connection/connection.js';
import { defaultLimits } from '../../src/connection/limits.js';
import { AlertError, PeerAlertError } from '../../src/errors.js';
import { clientHandshake } from '../../src/handshake/client.js';
import { HandshakeState } from '../../src/handshake/handshake-state.js';
import { serverHandshake } from '../../src/handshake/server.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import { contentTypes } from '../../src/parameters.js';
import { RecordLayer } from '../../src/record/record-layer.js';
import { eventsOf, makeEnd, type DriverName, type End } from '../support/connections.js';
import type { Flow } from '../support/replay.js';
import type { Side } from '../support/traffic.js';
import { type Decisions, OracleError, rule } from './target.js';

export interface WatchedEnd extends End {
  readonly records: RecordLayer;
  readonly hs: AnyState;
  /** Level and description of every alert that it wrote. */
  readonly alerts: readonly Uint8Array[];
  /** Application data that it wrote, record by record. */
  readonly sent: readonly Uint8Array[];
}

export type AnyState = WatchedState<ClientSettings> | WatchedState<ServerSettings>;

/** Says something else in place of a message: `say` is how the message itself would go out. */
export type Hand = (message: Uint8Array, say: (bytes: Uint8Array) => void, end: HandedEnd) => void;
export type HandedEnd = Pick<WatchedEnd, 'records' | 'hs'>;

export interface Handed {
  readonly hand: Hand;
  /** Whether the transcript takes what is said, so that Finished goes with it, or what was meant. */
  readonly hashed: boolean;
}

interface WatchedOptions extends ConnectionOptions {
  readonly named?: DriverName;
  readonly handed?: Handed | undefined;
}

/** The side of a flow, newly begun. */
export function watchedEnd(
  flow: Flow,
  side: Side,
  { named = 'sync', handed, ...options }: WatchedOptions = {},
): WatchedEnd {
  const alerts: Uint8Array[] = [];
  const sent: Uint8Array[] = [];
  let made: HandedEnd | undefined;
  const end = makeEnd(
    (own) =>
      new Connection(
        side,
        (records) => {
          if (!(records instanceof RecordLayer)) throw new Error('no record layer');
          const begun = begin(flow, side, records);
          made = { records, hs: begun.state };
          const write = records.write.bind(records);
          records.write = (contentType, payload) => {
            if (contentType === contentTypes.alert) alerts.push(payload);
            if (contentType === contentTypes.application_data) sent.push(payload.slice());
            write(contentType, payload);
          };
          if (handed !== undefined) guide(made, handed);
          return begun;
        },
        own,
      ),
    named,
    options,
  );
  if (made === undefined) throw new Error('a connection begins at once');
  return Object.assign(end, made, { alerts, sent });
}

function begin(flow: Flow, side: Side, records: RecordLayer) {
  if (side === 'client') {
    const state = new WatchedState('client', flow.client(), records);
    return { state, flow: clientHandshake(state) };
  }
  const state = new WatchedState('server', flow.server(), records);
  return { state, flow: serverHandshake(state) };
}

class WatchedState<Settings extends ClientSettings | ServerSettings> extends HandshakeState<Settings> {
  hand: ((message: Uint8Array, say: (bytes: Uint8Array) => void) => void) | undefined;

  override sendBytes(bytes: Uint8Array): Uint8Array {
    if (this.hand === undefined) return super.sendBytes(bytes);
    this.hand(bytes, (said) => super.sendBytes(said));
    return bytes;
  }
}

/** Puts the hand between a flow and its record layer. */
function guide(end: HandedEnd, { hand, hashed }: Handed): void {
  const { records, hs } = end;
  const write = records.writeHandshake.bind(records);
  let inHand = false;
  if (hashed)
    hs.hand = (message, say) => {
      inHand = true;
      hand(message, say, end);
      inHand = false;
    };
  records.writeHandshake = (message) => {
    if (inHand) write(message);
    else hand(message, write, end);
  };
}

/** Hands over bytes, and takes what comes of them. */
export function hear(end: End, bytes: Uint8Array): Uint8Array {
  end.connection.receive(bytes);
  return listen(end);
}

export function listen(end: End): Uint8Array {
  const output = end.connection.takeOutput();
  end.events.push(...end.connection.takeEvents());
  return output;
}

/** Told once, said once, and silent for ever after. `ownFault`: what was asked of the outside may have failed. */
export function orderly(end: WatchedEnd, { ownFault = false } = {}): void {
  listen(end);
  const { connection, events, alerts } = end;
  const closes = eventsOf(end, 'close');
  rule(closes.length === (connection.state === 'closed' ? 1 : 0), `${closes.length} close events, ${connection.state}`);
  rule(closes.length === 0 || events.at(-1)?.type === 'close', 'an event after close');
  rule(eventsOf(end, 'warning').length <= defaultLimits.maxWarnings, 'warnings without a limit');
  rule(eventsOf(end, 'session').length <= defaultLimits.maxSessionTickets, 'sessions without a limit');
  const handshakes = eventsOf(end, 'handshake').length;
  rule(handshakes <= 1, 'a second handshake event');
  const opened = events.findIndex(({ type }) => type === 'handshake');
  for (const [i, event] of events.entries())
    if (event.type === 'data')
      rule(
        event.early ? opened < 0 || i < opened : opened >= 0 && i > opened,
        'data on the wrong side of the handshake',
      );

  const fatal = alerts.findIndex(([level]) => level === 2);
  rule(fatal < 0 || fatal === alerts.length - 1, 'an alert after a fatal one');
  const [close] = closes;
  if (close !== undefined) blamed(close.error, end, ownFault);
  else rule(fatal < 0, 'a fatal alert, and no end');
  if (connection.state !== 'closed') return;
  const told = events.length;
  connection.receive(ascii('more'));
  connection.receiveEnd();
  rule(listen(end).length === 0 && events.length === told, 'a closed connection says something');
}

function blamed(error: unknown, { alerts }: WatchedEnd, ownFault: boolean): void {
  const last = alerts.at(-1);
  if (error === undefined || error instanceof PeerAlertError) {
    rule(last?.[0] !== 2, 'a fatal alert that no error explains');
    return;
  }
  if (!(error instanceof AlertError) || error.alert === 'internal_error') {
    if (ownFault) return;
    throw new OracleError('an error of ours', { cause: error });
  }
  const closed = alerts.some(([, description]) => description === alertDescriptions.close_notify);
  rule(
    closed || (last?.[0] === 2 && last[1] === alertDescriptions[error.alert]),
    `the alert for ${error.alert} is ${last === undefined ? 'not sent' : toHex(last)}`,
  );
}

/** What an end was given to read. */
export function dataOf(end: End): Uint8Array[] {
  return eventsOf(end, 'data').map(({ data }) => data);
}

/** Whether the records are some of those that were sent, whole and in order. */
export function expectSent(got: readonly Uint8Array[], sent: readonly Uint8Array[]): void {
  let at = 0;
  for (const data of got) {
    while (at < sent.length && !equal(sent[at]!, data)) at++;
    rule(at < sent.length, 'application data that nobody sent');
    at++;
  }
}

/** Two ends that are open have the same keys. */
export function expectAgreement(one: End, other: End): void {
  if (one.connection.state !== 'open' || other.connection.state !== 'open') return;
  rule(equal(exported(one), exported(other)), 'two open ends with different keys');
}

export function exported(end: End): Uint8Array {
  return end.connection.exportKeyingMaterial('EXPERIMENTAL', 32);
}

export interface Payload {
  readonly contentType: number;
  readonly payload: Uint8Array;
}

/** What is worth saying in a record of a type, beside whatever bytes the input has. */
export function readPayload(decisions: Decisions): Payload {
  const known = decisions.below(payloads.length + 4);
  const [contentType, ...payload] = payloads[known] ?? [decisions.pick([20, 21, 22, 23, 24])];
  return { contentType: contentType!, payload: known < payloads.length ? Uint8Array.from(payload) : decisions.bytes() };
}

/** ChangeCipherSpec; close_notify, warnings and fatal alerts; HelloRequest; KeyUpdates; data, and no data. */
const payloads: readonly (readonly number[])[] = [
  [20, 1],
  [21, 1, 0],
  [21, 1, 90],
  [21, 1, 100],
  [21, 2, 40],
  [21, 2],
  [22, 0, 0, 0, 0],
  [22, 24, 0, 0, 1, 0],
  [22, 24, 0, 0, 1, 1],
  [22, 24, 0, 0],
  [23, 1, 2, 3],
  [23],
];
