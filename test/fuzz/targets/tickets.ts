/**
 * Tickets and stored sessions. A sealer answers a state or a reason, and a state only for the very ticket that it sealed. What holds
 * no session is `undefined`, and what holds one is encoded to the same bytes.
 */
import { ascii, concat, equal, fromHex } from '../../../src/bytes.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { DecodeError, UsageError } from '../../../src/errors.js';
import { importPsk } from '../../../src/key-schedule/psk-importer.js';
import { clientSessionState, sessionState } from '../../../src/sessions/session-state.js';
import type { ResumptionPlace, Session, SessionEncoding } from '../../../src/sessions/session.js';
import { rfc5077State, statePlaintext } from '../../../src/sessions/state-plaintext.js';
import { RingSealer } from '../../../src/tickets/ring-sealer.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { findExtension } from '../../../src/messages/index.js';
import { decodeHandshake } from '../../../src/messages/handshake.js';
import { plaintextMessages } from '../../support/capture.js';
import { ticketKey } from '../../support/connections.js';
import { seededCrypto } from '../../support/seeded.js';
import {
  clientSession,
  fullSession,
  fullTls13Session,
  smallSession,
  smallTls13Session,
} from '../../sessions/sessions.js';
import { Decisions, rule, seed, type FuzzTarget } from '../target.js';
import { spliced } from '../mutate.js';

const now = () => 0;
const keys = ['one', 'two'].map((name) => ticketKey('node', name));
const newSealer = (names = keys) => {
  const crypto = seededCrypto('node', 'fuzzed tickets');
  return new RingSealer({ keys: new KeyRing({ crypto, now, keys: names }) });
};

const sessions: readonly Session[] = [
  smallSession,
  fullSession,
  clientSession,
  smallTls13Session,
  fullTls13Session,
  { ...fullTls13Session, ticket: ascii('a ticket') },
];
const states = sessions.map((session) => sessionState.encode(session));
/** Sealed once: what is said about them below holds for these bytes. */
const sealed = states.flatMap((state) => [newSealer().seal(state), newSealer([keys[1]!, keys[0]!]).seal(state)]);
const sealer = newSealer();

/** Tickets that other servers have sealed. */
function capturedTickets(): Uint8Array[] {
  return plaintextMessages().flatMap(({ version, bytes }) => {
    const message = decodeHandshake(version, bytes.slice());
    if (message.type === 'new_session_ticket') return [message.body.ticket];
    if (message.type !== 'client_hello') return [];
    const identities = findExtension(message.body.extensions, 'pre_shared_key')?.identities ?? [];
    return identities.map(({ identity }) => identity);
  });
}

function opens(ticket: Uint8Array): void {
  const untouched = ticket.slice();
  const opened = sealer.open(ticket);
  rule(equal(ticket, untouched), 'a ticket that is opened stays as it is');
  const index = sealed.findIndex((one) => equal(one, ticket));
  if (index < 0) {
    rule(opened.state === undefined, 'a ticket opens that nobody has sealed');
    rule(['malformed', 'unknown_key_name', 'bad_mac'].includes(opened.reason), `the reason ${opened.reason}`);
  } else {
    rule(opened.state !== undefined && equal(opened.state, states[index >> 1]!), 'a ticket holds what was sealed');
    rule(opened.renew === (index % 2 === 1), 'tickets of the older key are renewed');
  }
}

const nowhere: ResumptionPlace = { serverName: undefined, applicationContext: new Uint8Array(0), now: 0 };
const encodings: readonly SessionEncoding[] = [sessionState, clientSessionState, rfc5077State];

function remembers(encoding: SessionEncoding, bytes: Uint8Array): void {
  const untouched = bytes.slice();
  const session = encoding.decode(bytes, nowhere);
  rule(equal(bytes, untouched), 'decoding changes nothing');
  if (session === undefined) return;
  rule(typeof session !== 'string', 'encodings of our own judge nothing');
  const secret = session.version === 'TLSv1.3' ? session.psk : session.masterSecret;
  rule(!secret.every((byte) => byte === 0), 'no session has a secret of zeros');
  const again = encoding.encode(session);
  rule(again !== undefined, 'what was decoded can be encoded');
  // A lifetime hint without a ticket says nothing, and is dropped.
  const mayDiffer = encoding === clientSessionState && session.version === 'TLSv1.2' && session.ticket === undefined;
  rule(mayDiffer || equal(again, bytes), 'a session is encoded to the same bytes');
}

/** With the checksum that a client's session has, so that the fuzzer gets behind it. */
function withChecksum(state: Uint8Array): Uint8Array {
  // The remainder of whatever came before is 0 with its checksum behind it, and these tables say which.
  let crc = -1;
  for (const byte of state) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  const sum = ~crc >>> 0;
  return concat(state, Uint8Array.of(sum >>> 24, (sum >>> 16) & 0xff, (sum >>> 8) & 0xff, sum & 0xff));
}

const rfc5077Plain = statePlaintext.encode({
  protocolVersion: 'TLSv1.2',
  cipherSuite: smallSession.cipherSuite,
  compressionMethod: 'null',
  masterSecret: smallSession.masterSecret,
  clientIdentity: { clientAuthenticationType: 'certificate_based', identity: fullSession.peerCertificates },
  timestamp: 1_700_000_000,
});

export const ticketTargets: readonly FuzzTarget[] = [
  {
    name: 'tickets-any',
    seeds: () => [...capturedTickets(), ...sealed],
    run: opens,
  },
  {
    // Each four bytes are one change of a ticket that does open.
    name: 'tickets-mutated',
    seeds: () =>
      sealed.flatMap((_, i) => [seed([i]), seed([i, 0, 0, 5, 1]), seed([i, 1, 0, 32, 8]), seed([i, 2, 0, 9, 0])]),
    run: (data) => {
      const decisions = new Decisions(data);
      let ticket = decisions.pick(sealed);
      while (!decisions.ended) {
        const change = decisions.below(4);
        const at = decisions.number() % (ticket.length + 1);
        const value = decisions.byte();
        if (change === 0) ticket = ticket.map((byte, i) => (i === at ? byte ^ value : byte));
        else if (change === 1) ticket = spliced(ticket, at, value, new Uint8Array(0));
        else if (change === 2) ticket = spliced(ticket, at, 0, new Uint8Array(1 + (value >> 4)).fill(value));
        else ticket = concat(ticket.subarray(0, at), sealed[value % sealed.length]!.subarray(at));
      }
      opens(ticket);
    },
  },
  {
    // What is in it has been sealed by a holder of the key, with other contents than ours perhaps.
    name: 'tickets-sealed-state',
    seeds: () => [...states, new Uint8Array(0), new Uint8Array(48).fill(16)],
    run: (data) => {
      const opened = sealer.open(sealer.seal(data));
      rule(opened.state !== undefined && equal(opened.state, data), 'any state comes back');
      for (const encoding of encodings) remembers(encoding, opened.state.slice());
    },
  },
  {
    name: 'sessions',
    seeds: () => [
      ...states.map((state) => seed([0], state)),
      ...sessions
        .filter(({ version, ticket }) => version === 'TLSv1.2' || ticket !== undefined)
        .flatMap((session) => {
          const bytes = clientSessionState.encode(session);
          return [seed([1], bytes), seed([2], bytes.subarray(0, -4))];
        }),
      seed([3], rfc5077Plain),
    ],
    run: (data) => {
      const decisions = new Decisions(data);
      const kind = decisions.below(4);
      const bytes = decisions.rest();
      if (kind === 0) remembers(sessionState, bytes);
      else if (kind === 1) remembers(clientSessionState, bytes);
      else if (kind === 2) remembers(clientSessionState, withChecksum(bytes));
      else remembers(rfc5077State, bytes);
    },
  },
  {
    name: 'psk-importer',
    seeds: () => [
      seed(
        [0, 16],
        concat(
          new Uint8Array(16).map((_, i) => i),
          Uint8Array.of(4),
          ascii('name'),
          Uint8Array.of(2),
          ascii('us'),
        ),
      ),
      seed([1, 3], fromHex('010203')),
    ],
    run: (data) => {
      const decisions = new Decisions(data);
      const hash = decisions.pick(['sha256', 'sha384'] as const);
      const [key, externalIdentity, context] = [decisions.bytes(), decisions.bytes(), decisions.bytes()];
      try {
        const imported = importPsk(nodeCrypto, { key, externalIdentity, context, hash }, ['sha256', 'sha384']);
        rule(key.length >= 16 && externalIdentity.length > 0, 'a key or an identity that is too short');
        rule(imported.map(({ key: { length } }) => length).join() === '32,48', 'a PSK is as long as its hash');
        rule(!equal(imported[0]!.identity, imported[1]!.identity), 'each hash has an identity of its own');
      } catch (error) {
        if (!(error instanceof UsageError) || error instanceof DecodeError) throw error;
        rule(key.length < 16 || externalIdentity.length === 0, 'a key and an identity that are good enough');
      }
    },
  },
];
