/**
 * QUIC handshakes under CRYPTO data that nobody should send: a number for CONNECTION_CLOSE, never an exception, and no secrets that
 * the peer does not have. Packets are the stack's own business; there is no code for them here.
 */
import { equal, fromHex } from '../../../src/bytes.js';
import type { EncryptionLevel } from '../../../src/connection/quic.js';
import type { Tls13Session } from '../../../src/sessions/session.js';
import { drainQuic, hear, makeQuicWorld, quicEvents, type QuicEnd } from '../../support/quic.js';
import { readVectors } from '../../support/vectors.js';
import { readEdit } from '../edits.js';
import { spliced } from '../mutate.js';
import { Decisions, lazily, OracleError, rule, seed, type FuzzTarget } from '../target.js';

const levels: readonly EncryptionLevel[] = ['initial', 'early', 'handshake', 'application'];
const noPool = [Uint8Array.of(0, 0, 0, 0)];

/** The ticket key is the same in every world. */
const session = lazily((): Tls13Session => makeQuicWorld().session());

type Damage = (level: EncryptionLevel, data: Uint8Array) => { level: EncryptionLevel; data: Uint8Array };

function readDamage(decisions: Decisions): Damage {
  const kind = decisions.below(4);
  const level = decisions.pick(levels);
  const [at, removed, added] = [decisions.number(), decisions.byte(), decisions.bytes()];
  const edit = readEdit(decisions, noPool);
  if (kind === 0) return (own, data) => ({ level: own, data: spliced(data, at % (data.length + 1), removed, added) });
  if (kind === 1)
    return (own, data) => ({
      level: own,
      data: data.map((byte, i) => (i === at % data.length ? byte ^ removed : byte)),
    });
  if (kind === 2) return (_, data) => ({ level, data });
  // The first message of the piece, field by field.
  return (own, data) => {
    const length = 4 + (data[1]! << 16) + (data[2]! << 8) + data[3]!;
    const edited = edit(data.slice(0, length), 'TLSv1.3');
    return { level: own, data: edited.length === 0 ? data.subarray(length) : spliced(data, 0, length, edited[0]!) };
  };
}

function talks(data: Uint8Array): void {
  const decisions = new Decisions(data);
  const how = decisions.below(4);
  const damages = new Map(
    Array.from({ length: decisions.below(4) }, () => [decisions.below(6), readDamage(decisions)]),
  );
  const world = makeQuicWorld();
  world.clock.time += 1000;
  const { client, server } = world.pair(
    how === 0
      ? {}
      : how === 3
        ? { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] }
        : { session: session(), earlyData: how === 1 },
    how === 3 ? { groups: ['x25519'] } : {},
  );
  let pieces = 0;
  for (let moved = true; moved;) {
    moved = false;
    for (const [from, to] of [[client, server] as const, [server, client] as const])
      for (const piece of drainQuic(from)) {
        moved = true;
        const damage = damages.get(pieces++);
        if (damage === undefined) hear(to, piece.level, piece.data);
        else {
          const { level, data: bytes } = damage(piece.level, piece.data);
          to.quic.receive(level, bytes);
          to.events.push(...to.quic.takeEvents());
        }
      }
  }
  const complete = [client, server].filter((end) => quicEvents(end, 'handshake').length > 0);
  if (damages.size === 0) rule(complete.length === 2, 'an honest handshake fails');
  if (complete.length === 2) expectSameSecrets(client, server);
  while (!decisions.ended) {
    const end = decisions.below(2) === 0 ? client : server;
    hear(end, decisions.pick(levels), decisions.bytes());
  }
  for (const end of [client, server]) expectOrderly(end);
}

/** What one writes with is what the other reads with. */
function expectSameSecrets(client: QuicEnd, server: QuicEnd): void {
  for (const mine of quicEvents(client, 'secret')) {
    const theirs = quicEvents(server, 'secret').find(
      ({ level, direction }) => level === mine.level && direction !== mine.direction,
    );
    if (mine.level !== 'early')
      rule(
        theirs !== undefined && equal(mine.secret, theirs.secret),
        `two complete handshakes with other ${mine.level} secrets`,
      );
  }
}

function expectOrderly(end: QuicEnd): void {
  drainQuic(end);
  const closes = quicEvents(end, 'close');
  rule(closes.length === (end.quic.state === 'closed' ? 1 : 0), `${closes.length} close events, ${end.quic.state}`);
  rule(quicEvents(end, 'handshake').length <= 1, 'a second handshake event');
  for (const { error, transportError } of closes) {
    if (error.code === 'internal_error') throw new OracleError('an error of ours', { cause: error });
    rule(
      transportError === 0x0a || (transportError >= 0x100 && transportError <= 0x1ff),
      `the number ${transportError}`,
    );
    rule(end.events.at(-1)?.type === 'close', 'an event after close');
  }
  if (end.quic.state !== 'closed') return;
  const told = end.events.length;
  end.quic.receive('initial', Uint8Array.of(1, 2, 3));
  rule(drainQuic(end).length === 0 && end.events.length === told, 'a closed handshake says something');
}

export const quicTarget: FuzzTarget = {
  name: 'quic',
  seeds: () => {
    const vectors = readVectors('rfc9001/quic-rfc9001.json') as Record<string, Record<string, string>>;
    const clientHello = fromHex(vectors['clientInitial']!['clientHello']!);
    const serverHello = fromHex(vectors['serverInitial']!['serverHello']!);
    return [0, 1, 2, 3].flatMap((how) => [
      seed([how, 0]),
      seed([how, 0, 1, 0, clientHello.length], clientHello),
      seed([how, 0, 0, 0, serverHello.length], serverHello),
      // How many, which piece, kind, level, place, number of bytes removed, bytes added, and how a message is edited.
      seed([how, 1, 0, 0, 0, 0, 40, 2, 1, 9]),
      seed([how, 1, 1, 1, 0, 0, 50, 1, 0]),
      seed([how, 1, 2, 2, 3, 0, 0, 0, 0]),
      seed([how, 2, 0, 3, 0, 0, 0, 0, 0, 5, 0, 30, 0, 2, 3, 0, 0, 0, 0, 0, 4, 0, 12, 0]),
    ]);
  },
  run: talks,
};
