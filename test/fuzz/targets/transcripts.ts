/**
 * One side of every flow, fed with what its peer once said, and what somebody on the wire makes of it. The recording knows one key
 * and one conversation: whoever completes a handshake has that key, and reads that conversation or the beginning of it.
 */
import { equal, join, toHex } from '../../../src/bytes.js';
import type { Session } from '../../../src/sessions/session.js';
import { eventsOf, makePair, pump, type End } from '../../support/connections.js';
import { otherSide, sides, type Flow } from '../../support/replay.js';
import type { Side } from '../../support/traffic.js';
import { allFlows, earlyDataOf } from '../flows.js';
import { Decisions, rule, seed, type FuzzTarget } from '../target.js';
import { dataOf, exported, hear, listen, orderly, watchedEnd } from '../watched.js';
import { delivered, recordsOf, tampered } from '../wire.js';

/** What one side heard, and what came of it. */
interface Heard {
  readonly records: readonly Uint8Array[];
  readonly data: Uint8Array;
  readonly sessions: readonly string[];
  readonly keys: Uint8Array;
  /** `session_id`, `psk_dhe_ke`, ... */
  readonly mode: string;
}
type Tape = Readonly<Record<Side, Heard>>;

/** A whole conversation: handshake, data in both directions, new keys and tickets in TLS 1.3, and the end. */
function tape(flow: Flow): Tape {
  const pair = makePair(flow.client(), flow.server());
  const [client, server] = [pair.client.connection, pair.server.connection];
  const early = earlyDataOf(flow);
  if (client.earlyDataAllowance > 0) client.writeEarlyData(early);
  pump(pair);
  for (const length of [4, 300]) client.write(new Uint8Array(length).fill(length));
  pump(pair);
  for (const length of [5, 1000]) server.write(new Uint8Array(length).fill(length));
  if (client.handshake?.version === 'TLSv1.3') {
    server.updateKeys({ requestPeer: true });
    server.write(Uint8Array.of(1, 2, 3));
    server.sendTickets(1);
    pump(pair);
  }
  client.write(Uint8Array.of(4, 5, 6));
  pump(pair);
  const keys = exported(pair.client);
  client.close();
  pump(pair);
  const heard = (side: Side): Heard => ({
    records: recordsOf(join(pair.segments.filter(({ from }) => from !== side).map(({ bytes }) => bytes))),
    data: join(dataOf(pair[side])),
    sessions: eventsOf(pair[side], 'session').map(({ session }) => secretOf(session)),
    keys,
    mode: eventsOf(pair[side], 'handshake')[0]!.mode,
  });
  return { client: heard('client'), server: heard('server') };
}

const secretOf = (session: Session): string =>
  toHex(session.version === 'TLSv1.3' ? session.psk : session.masterSecret);

const isOpen = ({ connection }: End): boolean => connection.state === 'open';

const tapes = new Map<Flow, Tape>();
function tapeOf(flow: Flow): Tape {
  const known = tapes.get(flow) ?? tape(flow);
  tapes.set(flow, known);
  return known;
}

function hears(side: Side, data: Uint8Array): void {
  const decisions = new Decisions(data);
  const flow = decisions.pick(allFlows);
  const manner = decisions.byte();
  const { records, ...taped } = tapeOf(flow)[side];
  const others = tapeOf(decisions.pick(allFlows))[sides[decisions.below(2)]!].records;
  const unchanged = decisions.ended;
  const end = watchedEnd(flow, side);
  for (const chunk of delivered(tampered(records, decisions, others), manner)) {
    hear(end, chunk);
    if (isOpen(end)) rule(equal(exported(end), taped.keys), 'a handshake with keys that the peer does not have');
  }
  orderly(end);
  const got = join(dataOf(end));
  rule(equal(got, taped.data.subarray(0, got.length)), 'application data that nobody sent');
  const [told] = eventsOf(end, 'handshake');
  rule(told === undefined || told.mode === taped.mode, 'another handshake than the one that was recorded');
  const sessions = eventsOf(end, 'session').map(({ session }) => secretOf(session));
  rule(
    sessions.every((secret, i) => secret === taped.sessions[i]),
    'a session that the peer does not know',
  );
  if (!unchanged) return;
  rule(got.length === taped.data.length && sessions.length === taped.sessions.length, 'what was recorded is not told');
  rule(eventsOf(end, 'close')[0]?.reason === 'close_notify', 'the recording does not end well');
}

/** Every flow as it was, and each kind of change here and there. */
function seeds(): Uint8Array[] {
  return allFlows.flatMap((_, flow) => [
    seed([flow, 0]),
    seed([flow, 1]),
    seed([flow, 6]),
    ...Array.from({ length: 3 }, (_none, i) => seed([flow, 0, flow, i & 1, (flow + 5 * i) % 14, i, 0, 6 + i, 1, 0])),
  ]);
}

export const transcriptTargets: readonly FuzzTarget[] = sides.map((side) => ({
  name: `transcript-to-${side}`,
  seeds,
  run: (data) => hears(side, data),
}));

/** Two honest ends, and somebody between them who changes one flight. */
function between(data: Uint8Array): void {
  const decisions = new Decisions(data);
  const flow = decisions.pick(allFlows);
  const from = decisions.pick(sides);
  const flight = decisions.below(4);
  const others = tapeOf(decisions.pick(allFlows))[sides[decisions.below(2)]!].records;
  const ends = { client: watchedEnd(flow, 'client'), server: watchedEnd(flow, 'server') };
  const unchanged = decisions.ended;
  const turns = { client: 0, server: 0 };
  const run = () => {
    for (let moved = true; moved;) {
      moved = false;
      for (const side of sides) {
        const bytes = listen(ends[side]);
        if (bytes.length === 0) continue;
        moved = true;
        const touched = side === from && turns[side]++ === flight;
        const records = touched ? tampered(recordsOf(bytes), decisions, others) : [bytes];
        for (const record of records) ends[otherSide(side)].connection.receive(record.slice());
      }
    }
  };
  if (ends.client.connection.earlyDataAllowance > 0) ends.client.connection.writeEarlyData(earlyDataOf(flow));
  run();
  for (const side of sides)
    if (ends[side].connection.state === 'open') ends[side].connection.write(Uint8Array.of(1, 2, 3));
  run();
  if (unchanged)
    rule(
      sides.every((side) => ends[side].connection.state === 'open'),
      'an honest handshake fails',
    );
  for (const side of sides) {
    orderly(ends[side]);
    const got = join(dataOf(ends[side]));
    const sent = join(ends[otherSide(side)].sent);
    rule(
      equal(got, sent.subarray(sent.length - got.length)) || equal(got, sent.subarray(0, got.length)),
      'application data that nobody sent',
    );
  }
  if (sides.every((side) => ends[side].connection.state === 'open'))
    rule(equal(exported(ends.client), exported(ends.server)), 'two open ends with different keys');
}

export const betweenTarget: FuzzTarget = {
  name: 'man-in-the-middle',
  seeds: () =>
    allFlows.flatMap((_, flow) => [
      seed([flow, 0, 9, 0, 0]),
      seed([flow, 0, 0, flow, 0, flow % 14, 0, 0, 40, 1, 0]),
      seed([flow, 1, 0, flow, 1, (flow + 3) % 14, 1, 0, 9, 1, 0]),
      seed([flow, 0, 1, flow, 1, (flow + 7) % 14, 0, 0, 9, 1, 0]),
    ]),
  run: between,
};
