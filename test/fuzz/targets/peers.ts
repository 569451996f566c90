/**
 * One side of every flow, and a live peer whose messages are changed before they are protected: what is said is under the right keys,
 * and the peer's transcript knows of the change, or does not. After the handshake either says whatever it likes.
 */
import { equal, join } from '../../../src/bytes.js';
import { hashLength } from '../../../src/crypto/backend.js';
import { tls13Suites } from '../../../src/key-schedule/suites.js';
import { decodeHandshake } from '../../../src/messages/handshake.js';
import { findExtension } from '../../../src/messages/index.js';
import { contentTypes, handshakeTypes } from '../../../src/parameters.js';
import type { RecordLayer } from '../../../src/record/record-layer.js';
import { boundHello, type PskKey } from '../../support/attack-rig-tls13.js';
import { plaintextMessages, rfc8448Messages } from '../../support/capture.js';
import { eventsOf } from '../../support/connections.js';
import { otherSide, sides } from '../../support/replay.js';
import { readEdit, type Edit } from '../edits.js';
import { allFlows, earlyDataOf } from '../flows.js';
import { Decisions, lazily, rule, seed, type FuzzTarget } from '../target.js';
import {
  dataOf,
  expectAgreement,
  expectSent,
  listen,
  orderly,
  readPayload,
  watchedEnd,
  type Hand,
  type HandedEnd,
  type Payload,
  type WatchedEnd,
} from '../watched.js';

/** Messages of elsewhere, one of each type and version, and those that stand outside of handshakes. */
const pool = lazily((): readonly Uint8Array[] => [
  Uint8Array.of(handshakeTypes.hello_request, 0, 0, 0),
  Uint8Array.of(handshakeTypes.key_update, 0, 0, 1, 0),
  Uint8Array.of(handshakeTypes.key_update, 0, 0, 1, 1),
  Uint8Array.of(handshakeTypes.end_of_early_data, 0, 0, 0),
  Uint8Array.of(handshakeTypes.server_hello_done, 0, 0, 0),
  Uint8Array.of(handshakeTypes.finished, 0, 0, 12, ...new Array<number>(12).fill(1)),
  ...new Map(
    [...plaintextMessages(), ...rfc8448Messages()].map(({ version, bytes }) => [`${version} ${bytes[0]!}`, bytes]),
  ).values(),
]);

interface Program {
  /** By the number of the message, counted from 0. */
  readonly edits: ReadonlyMap<number, Edit>;
  /** What is said before it in a record of its own. */
  readonly asides: ReadonlyMap<number, Payload>;
  /** Where a message is cut into two records. */
  readonly cuts: ReadonlyMap<number, number>;
}

function readProgram(decisions: Decisions, changes: number): Program {
  const [edits, asides, cuts] = [new Map<number, Edit>(), new Map<number, Payload>(), new Map<number, number>()];
  for (let left = changes; left > 0; left--) {
    const [kind, index] = [decisions.below(6), decisions.below(12)];
    if (kind < 4) edits.set(index, readEdit(decisions, pool()));
    else if (kind === 4) asides.set(index, readPayload(decisions));
    else cuts.set(index, decisions.number());
  }
  return { edits, asides, cuts };
}

/** What the hand has done so far. */
interface Deeds {
  /** Whether anything was said that was not meant. */
  changed: boolean;
  /** Whether the handshake messages up to Finished were other than meant; HelloRequests are no part of any (RFC 5246 7.4.1.1). */
  tampered: boolean;
}

function handOf({ edits, asides, cuts }: Program, deeds: Deeds, hashed: boolean, rebinds: boolean): Hand {
  let index = 0;
  let finished = false;
  return (message, say, end) => {
    const { records, hs } = end;
    const [edit, aside, cut] = [edits.get(index), asides.get(index), cuts.get(index)];
    index++;
    if (aside !== undefined) records.write(aside.contentType, aside.payload);
    const edited = edit === undefined ? [message] : edit(message, hs.version ?? 'TLSv1.3');
    const said = hashed && rebinds ? edited.map((each) => rebound(each, end)) : edited;
    deeds.changed ||= aside !== undefined || cut !== undefined || !equal(join(said), message);
    if (!finished) {
      finished = message[0] === handshakeTypes.finished;
      const counted = said.filter(([type]) => type !== handshakeTypes.hello_request);
      const heard = join(counted);
      // What comes after Finished, and be it in the same breath, comes after the handshake.
      deeds.tampered ||= !equal(finished ? heard.subarray(0, message.length) : heard, message);
    }
    for (const each of said)
      if (cut === undefined || hashed) say(each);
      else {
        const place = cut % (each.length + 1);
        if (place > 0) records.write(contentTypes.handshake, each.subarray(0, place));
        if (place < each.length) records.write(contentTypes.handshake, each.subarray(place));
      }
    if (cut !== undefined) records.flush();
  };
}

/** A ClientHello whose binders are right for what it says now, as far as its client has the PSKs. */
function rebound(message: Uint8Array, { hs }: HandedEnd): Uint8Array {
  if (message[0] !== handshakeTypes.client_hello || !('sessionKey' in hs.settings)) return message;
  const { offeredSessions, externalPsks } = hs.settings;
  const keys: PskKey[] = externalPsks.map(({ key, hash }) => ({ psk: key, hash, kind: 'external' }));
  for (const session of offeredSessions)
    if (session.version === 'TLSv1.3') keys.push({ psk: session.psk, hash: tls13Suites[session.cipherSuite].hash });
  const [key] = keys;
  if (key === undefined) return message;
  try {
    const hello = decodeHandshake('TLSv1.3', message.slice());
    if (hello.type !== 'client_hello') return message;
    const { binders = [] } = findExtension(hello.body.extensions, 'pre_shared_key') ?? {};
    if (binders.length === 0) return message;
    return boundHello(
      hs,
      hello.body,
      binders.map(({ length }) => (length === hashLength[key.hash] ? key : undefined)),
    );
  } catch {
    return message; // It was changed beyond reading.
  }
}

function speaks(data: Uint8Array): void {
  const decisions = new Decisions(data);
  const flow = decisions.pick(allFlows);
  const side = decisions.pick(sides);
  const how = decisions.byte();
  const [hashed, rebinds] = [(how & 1) === 1, (how & 2) === 0];
  const program = readProgram(decisions, decisions.below(5));
  const deeds: Deeds = { changed: false, tampered: false };
  const peerSide = otherSide(side);
  const peer = watchedEnd(flow, peerSide, { handed: { hand: handOf(program, deeds, hashed, rebinds), hashed } });
  const target = watchedEnd(flow, side);
  const client = side === 'client' ? target : peer;

  let opened = false;
  const run = () => {
    for (let moved = true; moved;) {
      const toTarget = listen(peer);
      target.connection.receive(toTarget);
      const toPeer = listen(target);
      peer.connection.receive(toPeer);
      moved = toTarget.length > 0 || toPeer.length > 0;
      if (opened || eventsOf(target, 'handshake').length === 0) continue;
      opened = true;
      rule(hashed || !deeds.tampered, 'a handshake is complete whose messages were changed on the way');
    }
  };
  if (client.connection.earlyDataAllowance > 0) client.connection.writeEarlyData(earlyDataOf(flow));
  run();
  if (!deeds.changed)
    rule(target.connection.state === 'open' && peer.connection.state === 'open', 'an honest handshake fails');
  expectAgreement(target, peer);
  for (let left = 16; left > 0 && !decisions.ended; left--) {
    goOn(decisions, target, peer);
    run();
  }
  orderly(target);
  expectSent(dataOf(target), peer.sent);
}

/** One thing that one of them does after the handshake, once or many times. What is made up is the peer's alone: the target is honest. */
function goOn(decisions: Decisions, target: WatchedEnd, peer: WatchedEnd): void {
  const action = decisions.below(10);
  if (action < 4) {
    if (peer.connection.state === 'closed') return;
    const made = madeUp(action, decisions);
    for (let times = decisions.below(2) === 0 ? 1 : 1 + decisions.below(64); times > 0; times--) made(peer.records);
    return;
  }
  const end = decisions.below(2) === 0 ? peer : target;
  const bytes = decisions.bytes();
  const { connection, hs } = end;
  const isTls13 = hs.version === 'TLSv1.3';
  if (connection.state !== 'open' || end.alerts.length > 0) return;
  if (action === 4) connection.write(bytes);
  else if (action === 5) connection.close();
  else if (action === 6) connection.receiveEnd();
  else if (!isTls13) return;
  else if (action === 7) connection.updateKeys({ requestPeer: bytes.length % 2 === 0 });
  else if (hs.role === 'server') connection.sendTickets(1 + (bytes.length % 3));
}

function madeUp(action: number, decisions: Decisions): (records: RecordLayer) => void {
  if (action < 2) {
    const { contentType, payload } = readPayload(decisions);
    return (records) => records.write(contentType, payload);
  }
  const message = decisions.pick(pool());
  const said = action === 2 ? [message] : readEdit(decisions, pool())(message, 'TLSv1.3');
  return (records) => said.forEach((each) => records.writeHandshake(each));
}

export const peerTarget: FuzzTarget = {
  name: 'peer',
  seeds: () =>
    allFlows.flatMap((_, flow) =>
      [0, 1].flatMap((side) => [
        seed([flow, side, 0, 0, 3, 0, 4, 1, 2, 3, 4, 4, 0, 1, 9, 0, 1, 0, 0, 0, 1]),
        seed([flow, side, 1, 1, 0, 0, 6, 0, 9 + flow, 1, 1]),
        seed([flow, side, 1, 1, 0, 1, 5, 0, 9 + flow, 1, 1]),
        seed([flow, side, 0, 1, 0, 2, 7, 0, 0, 0]),
        seed([flow, side, 0, 1, 4, 1, 4]),
        seed([flow, side, 0, 1, 5, 1, 0, 9]),
        // After the handshake: warnings, HelloRequests, KeyUpdates, data or nothing, 40 times; tickets, new keys, the end.
        seed([flow, side, 0, 0, 0, [2, 3, 6, 7, 8, 10, 11][(flow + 3 * side) % 7]!, 1, 39]),
        seed([flow, side, 0, 0, 8, 0, 2, 0, 0, 7, 1, 0, 4, 0, 3, 1, 2, 3, 5, 0, 0]),
      ]),
    ),
  run: speaks,
};
