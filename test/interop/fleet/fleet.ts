/** All servers of a fleet, each started when it is first asked for, and what clients of theirs say in one cell of a table. */
import { expect } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/node/index.js';
import type { Session } from '../../../src/sessions/session.js';
import { fleetTickets, mintSession, type TicketTarget } from '../../../src/targets/index.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { RingSealer } from '../../../src/tickets/ring-sealer.js';
import { startOurs } from './ours.js';
import { fleetKeys, longKeyStarters, shortKeyStarters, type FleetKeys, type Participant } from './participants.js';
import type { FleetServer } from './rig.js';
import { adopted, serverName, visit, type Visit } from './visit.js';

export type Skip = (reason: string) => never;

/** A server, and one of ours that issues tickets for it and takes its own. */
export interface Member extends Participant {
  /** In order: the one that seals, the next one, the one before. */
  readonly fleetKeys: FleetKeys;
  readonly keys: KeyRing;
  readonly ours: FleetServer;
}

const starters = { ...shortKeyStarters, ...longKeyStarters };

export class Fleet {
  readonly names = Object.keys(starters);
  readonly #short = ringOf(fleetKeys(16));
  readonly #long = ringOf(fleetKeys(32));
  readonly #members = new Map<string, Promise<Member>>();
  readonly #sessions = new Map<string, Promise<Session>>();

  member(name: string, skip: Skip): Promise<Member> {
    const member = this.#members.get(name) ?? this.#start(name, skip);
    this.#members.set(name, member);
    return member;
  }

  /** A session from there, the same one each time: none of these servers keeps account of its tickets. */
  session(name: string, offer: Offer, skip: Skip): Promise<Session> {
    const id = [name, offer.version, ...(offer.cipherSuites ?? [])].join(' ');
    const session = this.#sessions.get(id) ?? this.member(name, skip).then(({ server }) => issuedBy(server, offer));
    this.#sessions.set(id, session);
    return session;
  }

  async stop(): Promise<void> {
    for (const started of await Promise.allSettled(this.#members.values()))
      if (started.status === 'fulfilled') await Promise.all([started.value.server.stop(), started.value.ours.stop()]);
  }

  async #start(name: string, skip: Skip): Promise<Member> {
    const ring = name in shortKeyStarters ? this.#short : this.#long;
    const participant = await starters[name]!(skip, ring.fleetKeys);
    const ours = await startOurs(fleetTickets({ members: [{ target: participant.target, keys: ring.keys }] }));
    return { ...participant, ...ring, ours };
  }
}

function ringOf(keys: FleetKeys): Pick<Member, 'fleetKeys' | 'keys'> {
  return { fleetKeys: keys, keys: new KeyRing({ crypto: nodeCrypto, now: Date.now, keys }) };
}

/** One suite each: servers that choose others of a longer list share no sessions of TLS 1.3. */
export const offers = [
  { version: 'TLSv1.2', cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] },
  { version: 'TLSv1.3', cipherSuites: ['TLS_AES_128_GCM_SHA256'] },
  { version: 'TLSv1.3', cipherSuites: ['TLS_AES_256_GCM_SHA384'] },
] as const;
type Offer = Pick<(typeof offers)[number], 'version'> & {
  readonly cipherSuites?: (typeof offers)[number]['cipherSuites'];
};

export function come(server: FleetServer, { version, ...options }: Offer, session: Session): Promise<Visit> {
  return visit(server, version, { ...options, session });
}

/** The newest session that a full handshake there brought. */
export async function issuedBy(server: FleetServer, { version, ...options }: Offer): Promise<Session> {
  const first = await visit(server, version, options);
  expect([server.name, first.handshake.mode, first.theirs.reused]).toEqual([server.name, 'full', server.fullWord]);
  const session = first.sessions.at(-1);
  if (session === undefined) throw new Error(`${server.name} issued no ticket`);
  return session;
}

/** A session that no handshake made, as a client of that server holds it. */
export function minted(
  target: TicketTarget,
  keys: KeyRing,
  offer: (typeof offers)[number],
  nameInTicket = serverName,
): Session {
  const common = { crypto: nodeCrypto, keys, now: Date.now(), serverName: nameInTicket };
  const session =
    offer.version === 'TLSv1.2'
      ? mintSession(target, { ...common, version: offer.version, cipherSuite: offer.cipherSuites[0] })
      : mintSession(target, { ...common, version: offer.version, cipherSuite: offer.cipherSuites[0] });
  return adopted({ ...session, serverName });
}

/** What the server sees in the ticket of a client's session. */
export function opened({ target, keys }: Pick<Member, 'target' | 'keys'>, { ticket }: Session): Session {
  const { state, reason } = new RingSealer({ keys, layout: target.layout }).open(ticket!);
  if (state === undefined) throw new Error(`a ticket of ${target.server} stays closed: ${reason}`);
  const session = target.encoding.decode(state, { serverName, applicationContext: new Uint8Array(0), now: Date.now() });
  if (typeof session !== 'object') throw new Error(`a ticket of ${target.server} is no session: ${String(session)}`);
  return session;
}

/** By the word of both. */
export function expectResumed(server: FleetServer, { handshake, theirs }: Visit, how = ''): void {
  const { version, mode, resumed } = handshake;
  expect([how, mode, resumed]).toEqual([how, version === 'TLSv1.2' ? 'ticket' : 'psk_dhe_ke', true]);
  expect([how, theirs.protocol, theirs.reused]).toEqual([how, version, server.resumedWord]);
}

export function expectFull(server: FleetServer, { handshake, theirs }: Visit, how = ''): void {
  expect([how, handshake.mode, handshake.resumed, theirs.reused]).toEqual([how, 'full', false, server.fullWord]);
}
