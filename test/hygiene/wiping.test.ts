/**
 * R5246-7.2.2-1 R5246-8.1-1: however a connection ends, at whatever step, the secrets that passed our hands are overwritten, and
 * keys that were set up are destroyed. The arrays themselves are looked at.
 *
 * Not ours to wipe, and named in `handedOver`: sessions that were given as options or told by an event, and external PSKs. What no
 * array shows (noble's numbers, keys of OpenSSL, strings of a key log) is not seen here.
 */
import { describe, expect, it } from 'vitest';
import type { ConnectionEvent } from '../../src/connection/events.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import type { Session } from '../../src/sessions/session.js';
import { fromHex } from '../../src/bytes.js';
import { drain, makePair, move, pump, settle, type DriverName, type End, type Pair } from '../support/connections.js';
import { failingCrypto } from '../support/failing-crypto.js';
import { tls13Flows } from '../support/flows-tls13.js';
import { flows, otherSide, sides, tls12Psk, type Flow } from '../support/replay.js';
import { stride } from '../support/thorough.js';
import type { Side } from '../support/traffic.js';
import { makeRecorder, type Recorder } from './recorder.js';

const all: readonly Flow[] = [...Object.values(flows), ...Object.values(tls13Flows)];
const cases = all.flatMap((flow, i) => sides.map((side) => [flow.name, side, flow, i] as const));

interface Watched {
  readonly pair: Pair;
  readonly own: End;
  readonly recorder: Recorder;
  /** What is not ours to wipe. */
  readonly kept: () => Uint8Array[];
  /** Names of secrets that are still there. */
  readonly left: () => string[];
}

interface Begun {
  /** Which call of the backend fails. */
  readonly failsAt?: number;
  readonly driver?: DriverName;
}

/** Both ends of a flow, of which one is watched; nothing has travelled yet. */
function begin(flow: Flow, side: Side, { failsAt = Infinity, driver }: Begun = {}): Watched {
  const recorder = makeRecorder();
  const settings = { client: flow.client(), server: flow.server() };
  const { crypto } = failingCrypto(settings[side].crypto, failsAt, false);
  const watched = { crypto: recorder.wrap(crypto) };
  const pair = makePair(
    { ...settings.client, ...(side === 'client' && watched) },
    { ...settings.server, ...(side === 'server' && watched) },
    driver === undefined ? {} : { driver },
  );
  const own = pair[side];
  const kept = () => handedOver(settings[side], own);
  const left = () => recorder.unwiped(kept());
  return { pair, own, recorder, kept, left };
}

function handedOver(settings: ClientSettings | ServerSettings, { connection, events }: End): Uint8Array[] {
  const told = events.flatMap((event: ConnectionEvent) => (event.type === 'session' ? [event.session] : []));
  const given = 'offeredSessions' in settings ? settings.offeredSessions : [];
  const last = connection.handshake?.session;
  const secretOf = (session: Session) => (session.version === 'TLSv1.3' ? session.psk : session.masterSecret);
  return [
    ...[...told, ...given, ...(last === undefined ? [] : [last])].map(secretOf),
    ...settings.externalPsks.map(({ key }) => key),
    tls12Psk.key,
  ];
}

/** So many flights, early data with the first; answers whether there were as many. */
function travel({ pair }: Watched, flow: Flow, flights: number): boolean {
  if (
    'early' in flow &&
    flow.early instanceof Uint8Array &&
    flow.early.length <= pair.client.connection.earlyDataAllowance
  )
    pair.client.connection.writeEarlyData(flow.early);
  for (let flight = 0; flight < flights; flight++) {
    if (!move(pair, flight % 2 === 0 ? 'client' : 'server') && flight > 0) return false;
  }
  return true;
}

const endings: readonly (readonly [string, (watched: Watched) => void])[] = [
  ['destroy', ({ own }) => own.connection.destroy()],
  ['our fatal alert', ({ own }) => own.connection.receive(Uint8Array.of(99, 3, 3, 0, 0))],
  ['a fatal alert, as it can be read then', ({ own }) => own.connection.receive(fromHex('15030300020228'))],
  ['the end of the transport', ({ own }) => own.connection.receiveEnd()],
  [
    'close_notify of ours',
    ({ own, pair }) => {
      own.connection.close();
      pump(pair);
      own.connection.receiveEnd();
    },
  ],
  [
    'close_notify of the peer',
    ({ own, pair }) => {
      const peer = own === pair.client ? pair.server : pair.client;
      peer.connection.close();
      pump(pair);
      own.connection.receiveEnd();
    },
  ],
];

// Where a step is above one, the next flow begins at the next of them.
describe.each(cases)('%s: the %s', (_, side, flow, i) => {
  const step = stride(4);

  it.each(endings.map((ending, j) => [...ending, i + j] as const))(
    'after %s at any step nothing is left',
    (_, end, k) => {
      for (let flights = k % stride(2); ; flights += stride(2)) {
        const watched = begin(flow, side);
        const isThere = travel(watched, flow, flights);
        end(watched);
        drain(watched.own);
        const { own, recorder, left } = watched;
        expect([own.connection.state, left(), recorder.alive()], `after ${flights} flights`).toEqual(['closed', [], 0]);
        if (!isThere) {
          expect(recorder.secrets.length).toBeGreaterThan(3);
          break;
        }
      }
    },
  );

  it('whichever call of the backend fails, nothing is left', () => {
    for (let failsAt = 1 + (i % step); ; failsAt += step) {
      const watched = begin(flow, side, { failsAt });
      travel(watched, flow, 20);
      const { own, recorder, left } = watched;
      const failed = own.connection.state === 'closed';
      if (!failed) break;
      expect([left(), recorder.alive()], `call ${failsAt}`).toEqual([[], 0]);
    }
  });

  it('ended while it waits for an answer, nothing is left', async () => {
    for (let turns = i % step; turns < 30; turns += step) {
      const watched = begin(flow, side, { driver: 'promises' });
      const { own, pair, recorder, left } = watched;
      for (let turn = 0; turn < turns; turn++) {
        pump(pair);
        await Promise.resolve();
      }
      own.connection.destroy();
      await settle(pair);
      await new Promise(setImmediate);
      drain(own);
      expect([left(), recorder.alive()], `after ${turns} turns`).toEqual([[], 0]);
    }
  });
});

describe.each(cases)('%s: the open %s', (_, side, flow) => {
  it('holds two record keys, and what exporters and tickets need; an update of keys leaves none of before', async () => {
    const watched = begin(flow, side);
    travel(watched, flow, 20);
    const { own, pair, recorder, kept } = watched;
    await settle(pair);
    expect(own.connection.state).toBe('open');
    const holding = () => recorder.holding(kept());
    const rest = holding();
    // The master secret of TLS 1.2, or the resumption secret of TLS 1.3; and the early exporter secret.
    expect(rest.filter((name) => name !== 'HMAC key' && name !== 'tls13 e exp master')).toEqual([]);
    expect(recorder.alive()).toBe(2);
    if (own.connection.handshake?.version !== 'TLSv1.3') return;
    for (let turn = 0; turn < 3; turn++) {
      const before = recorder.secrets.length;
      pair[turn === 1 ? otherSide(side) : side].connection.updateKeys({ requestPeer: turn === 2 });
      await settle(pair);
      expect(recorder.secrets.length).toBeGreaterThan(before);
      expect([holding(), recorder.alive()], `update ${turn}`).toEqual([rest, 2]);
    }
  });
});
