/**
 * A fleet of different servers with ticket keys in common, as seen by one of them that is ours: it opens the tickets of all, and issues
 * those of one.
 *
 * The surprising thing: one ticket serves one context. A client that comes from nginx with a ticket resumes here, and the ticket that it
 * gets here resumes at the server for which it was issued.
 */
import { wipe } from '../bytes.js';
import { UsageError } from '../errors.js';
import { opaque, struct, uint8, vector } from '../presentation/codec.js';
import type { BindingRefusal } from '../sessions/binding-refusal.js';
import { decodeOrUndefined } from '../sessions/decode.js';
import type { ResumptionPlace, Session, SessionEncoding } from '../sessions/session.js';
import type { KeyRing } from '../tickets/key-ring.js';
import { RingSealer } from '../tickets/ring-sealer.js';
import type { OpenedTicket, TicketSealer } from '../tickets/sealer.js';
import type { TicketTarget } from './target.js';

export interface FleetMember {
  readonly target: TicketTarget;
  /**
   * Members whose keys are the same bytes, each in the server's own file, best share one ring, which then counts for all of them: a ticket
   * is told by its key, and then by its context.
   */
  readonly keys: KeyRing;
}

export interface FleetOptions {
  /** Whose tickets are accepted here. */
  readonly members: readonly FleetMember[];
  /** For whom tickets are made: one of the members, and by default the first. */
  readonly issueFor?: FleetMember;
}

/** Options of a server, to be spread into them. */
export interface FleetTickets {
  readonly tickets: TicketSealer;
  readonly ticketEncoding: SessionEncoding;
  /** Seconds: that of the target which tickets are made for. */
  readonly ticketLifetime: number;
  readonly ticketLifetimeHint: number;
}

/**
 * Tickets of a mixed fleet. Each configuration of ours, one for every virtual host that must not be confused with another, has a fleet of
 * its own: the contexts of its targets are what its sessions are bound to. Throws `UsageError` for keys that do not fit their layout.
 *
 * ```ts
 * const members = [{ target: nginxTarget({ serverCertificates: [der] }), keys }, { target: haproxyTarget(), keys }];
 * serverSettings({ ...options, ...fleetTickets({ members }) });
 * ```
 */
export function fleetTickets({ members, issueFor = members[0] }: FleetOptions): FleetTickets {
  const envelopes = envelopesOf(members);
  const issuer = envelopes.findIndex(({ targets }) => issueFor !== undefined && targets.includes(issueFor.target));
  if (issueFor === undefined || issuer === -1)
    throw new UsageError('invalid_option', '`issueFor` is none of the members');
  const { lifetime } = issueFor.target;
  return {
    ticketLifetime: lifetime,
    ticketLifetimeHint: lifetime,
    tickets: new FleetSealer(envelopes.map(({ sealer }) => sealer)),
    ticketEncoding: {
      encode(session) {
        const state = issueFor.target.encoding.encode(session);
        if (state === undefined) return undefined;
        const marked = markedStates.encode([{ envelope: issuer, state }]);
        wipe(state);
        return marked;
      },
      decode: (marked, place) => decodeAny(envelopes, marked, place),
    },
  };
}

/** What members have in common that share a layout and a ring: tickets of theirs are told apart only once they are open. */
interface Envelope {
  readonly keys: KeyRing;
  readonly sealer: RingSealer;
  readonly targets: TicketTarget[];
}

const mostEnvelopes = 255;

function envelopesOf(members: readonly FleetMember[]): readonly Envelope[] {
  const envelopes: Envelope[] = [];
  for (const { target, keys } of members) {
    const { layout } = target;
    const known = envelopes.find(({ keys: others, targets }) => others === keys && targets[0]?.layout === layout);
    if (known === undefined) envelopes.push({ keys, sealer: new RingSealer({ keys, layout }), targets: [target] });
    else known.targets.push(target);
  }
  if (envelopes.length > mostEnvelopes)
    throw new UsageError('invalid_option', `more than ${String(mostEnvelopes)} pairs of layout and ring`);
  return envelopes;
}

/**
 * What goes into a sealer and comes out of it: states, and which envelope each is for. There is more than one where layouts with one key
 * have one MAC: a ticket of OpenSSL is authentic to Go as well, which makes noise of it, and only a state tells whose it was.
 */
const markedStates = vector(struct({ envelope: uint8, state: opaque(0, 2 ** 16 - 1) }), 0, 2 ** 24 - 1);

class FleetSealer implements TicketSealer {
  readonly #sealers: readonly RingSealer[];

  constructor(sealers: readonly RingSealer[]) {
    this.#sealers = sealers;
  }

  seal(marked: Uint8Array): Uint8Array {
    const [first] = decodeOrUndefined(markedStates, marked) ?? [];
    const sealer = this.#sealers[first?.envelope ?? this.#sealers.length];
    if (first === undefined || sealer === undefined)
      throw new UsageError('value_not_encodable', 'a state that is none of this fleet');
    return sealer.seal(first.state);
  }

  open(ticket: Uint8Array): OpenedTicket {
    let refusal: OpenedTicket = { reason: 'malformed' };
    let renew = false;
    const states: { readonly envelope: number; readonly state: Uint8Array }[] = [];
    for (const [envelope, sealer] of this.#sealers.entries()) {
      const opened = sealer.open(ticket);
      if (opened.state !== undefined) {
        states.push({ envelope, state: opened.state });
        renew ||= opened.renew;
      } else if (clarity[opened.reason] > clarity[refusal.reason]) refusal = opened;
    }
    if (states.length === 0) return refusal;
    const state = markedStates.encode(states);
    for (const opened of states) wipe(opened.state);
    return { state, renew };
  }

  /** That of the tightest ring: which member issues is not known here. */
  longestTicketLife(): number {
    return Math.min(...this.#sealers.map((sealer) => sealer.longestTicketLife()));
  }
}

/** How much each reason knows: a layout that recognised a key is more to the point than one that saw a ticket of another. */
const clarity = { malformed: 0, unknown_key_name: 1, bad_mac: 2, expired: 3 } as const;

/** The first session, or the reason of the target that got furthest. */
function decodeAny(
  envelopes: readonly Envelope[],
  marked: Uint8Array,
  place: ResumptionPlace,
): Session | BindingRefusal | undefined {
  let refusal: BindingRefusal | undefined;
  for (const { envelope, state } of decodeOrUndefined(markedStates, marked) ?? []) {
    for (const { encoding } of envelopes[envelope]?.targets ?? []) {
      const session = encoding.decode(state, place);
      if (typeof session === 'object') return session;
      if (refusal === undefined || refusal === 'context_mismatch') refusal = session ?? refusal;
    }
  }
  return refusal;
}
