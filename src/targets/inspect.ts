/**
 * `inspectTicket`: everything that can be said about a ticket, with keys or without, for people at a terminal and for tests.
 *
 * The surprising thing: it opens what no server would. Weak keys are keys here, and the time and the configuration that a ticket was made
 * for are reported, not enforced. What it answers is not to be resumed by.
 */
import { concealed } from '../concealed.js';
import { copy, empty, equal } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { nobleCrypto } from '../crypto/noble.js';
import { UsageError } from '../errors.js';
import { maximumClockSkew, maximumSessionAge } from '../sessions/binding.js';
import type { BindingRefusal } from '../sessions/binding-refusal.js';
import { maximumTicketLifetime } from '../sessions/session.js';
import { longestTicket, type LayoutKey, type TicketLayout } from '../tickets/layout.js';
import type { TicketKey } from '../tickets/ticket-key.js';
import { recogniseTicket, type LayoutGuess } from './recognise.js';
import { readState, type ReadState } from './state-kinds.js';
import type { TicketTarget } from './target.js';

export interface InspectOptions {
  /** Keys, weak ones too; each is tried in every layout that has a use for it. */
  readonly keys?: readonly TicketKey[];
  /** Milliseconds. Without it nothing is said of ages. */
  readonly now?: number;
  /** Servers that are asked whether they would resume it. */
  readonly targets?: readonly TicketTarget[];
  /** In lower case: the name that a client asks these servers for. */
  readonly serverName?: string;
  /** Default: noble. */
  readonly crypto?: CryptoBackend;
}

export interface TicketReport {
  /** Bytes. */
  readonly length: number;
  /** The layouts that it may have, the likeliest first; of an opened ticket, that one alone. */
  readonly guesses: readonly LayoutGuess[];
  /** What is no sealed ticket, and why. */
  readonly remark: string | undefined;
  /** Where a key of its name was there, and did not open it. */
  readonly attempts: readonly TicketAttempt[];
  /** `undefined` where no key opened it. */
  readonly opened: OpenedReport | undefined;
}

export interface TicketAttempt {
  readonly layout: string;
  readonly keyName: Uint8Array;
  readonly reason: 'bad_mac' | 'malformed';
}

export interface OpenedReport {
  readonly layout: TicketLayout;
  readonly keyName: Uint8Array;
  /** What was sealed, which does not print. */
  readonly state: Uint8Array;
  /** Its fields, and the session that it is; `undefined` for the state of a server that is not known here. */
  readonly content: ReadState | undefined;
  /** `undefined` without `now`, or where nothing is known of the state. */
  readonly age: TicketAge | undefined;
  /** One for each target. */
  readonly verdicts: readonly TargetVerdict[];
}

/** Seconds; negative where something lies in the future. */
export interface TicketAge {
  readonly sinceIssued: number;
  readonly sinceFullHandshake: number;
  /** By what the ticket says of itself; 7 days where it says nothing. */
  readonly lifetime: number;
  /** Until it is neither resumed by what it says nor, 7 days after the full handshake, by anybody. */
  readonly remaining: number;
  /** Why time alone keeps it from resuming here; `undefined` if it does not. */
  readonly refusal: 'expired' | 'too_old' | 'from_the_future' | undefined;
}

export interface TargetVerdict {
  readonly server: string;
  /** `undefined`: it would resume. `other_layout`: the server would not get so far as to open it. */
  readonly refusal: BindingRefusal | 'unreadable_state' | 'other_layout' | undefined;
}

/**
 * A report on `ticket`; never throws for what is in it. Its secrets are there to be used and do not print.
 *
 * ```ts
 * inspectTicket(ticket, { keys: parseTicketKeys('nginx80', file), now: Date.now() }).opened?.content;
 * ```
 */
export function inspectTicket(ticket: Uint8Array, options: InspectOptions = {}): TicketReport {
  const { keys = [], crypto = nobleCrypto } = options;
  const report = { length: ticket.length, remark: remarkOn(ticket) };
  const guesses = ticket.length > longestTicket ? [] : recogniseTicket(ticket);
  const attempts: TicketAttempt[] = [];
  for (const guess of guesses) {
    for (const key of keys) {
      const opened = tryKey(ticket, guess, key, crypto);
      if (opened instanceof Uint8Array)
        return { ...report, guesses: [guess], attempts, opened: reportOn(opened, guess.layout, key, options) };
      // Without a name in the ticket, that a key does not open it says nothing.
      if (opened !== undefined && guess.layout.keyName !== undefined)
        attempts.push({ layout: guess.layout.name, keyName: copy(key.name), reason: opened });
    }
  }
  return { ...report, guesses, attempts, opened: undefined };
}

function remarkOn({ length }: Uint8Array): string | undefined {
  if (length === 0) return 'an empty ticket: the server gives none';
  if (length > longestTicket) return `no ticket has more than ${String(longestTicket)} bytes`;
  if (length <= 32)
    return 'too short to be sealed: a handle, under which the server keeps the session (32 bytes: OpenSSL in TLS 1.3)';
  return undefined;
}

/** `undefined` where the key is not of that name, or the layout has no use for it. */
function tryKey(
  ticket: Uint8Array,
  { layout, keyName }: LayoutGuess,
  key: TicketKey,
  crypto: CryptoBackend,
): Uint8Array | 'bad_mac' | 'malformed' | undefined {
  if (layout.keyName !== undefined && !equal(keyName, key.name)) return undefined;
  const prepared = prepare(layout, key, crypto);
  if (prepared === undefined) return undefined;
  try {
    return prepared.open(ticket);
  } finally {
    prepared.destroy();
  }
}

function prepare(layout: TicketLayout, key: TicketKey, crypto: CryptoBackend): LayoutKey | undefined {
  try {
    return layout.prepare(crypto, key);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function reportOn(opened: Uint8Array, layout: TicketLayout, key: TicketKey, options: InspectOptions): OpenedReport {
  const { now, targets = [], crypto = nobleCrypto } = options;
  const state = concealed(opened);
  const content = readState(state, crypto);
  return {
    layout,
    keyName: copy(key.name),
    state,
    content,
    age: now === undefined || content === undefined ? undefined : ageOf(content, now),
    verdicts: targets.map((target) => ({
      server: target.server,
      refusal: target.layout === layout ? refusalBy(target, state, content, options) : 'other_layout',
    })),
  };
}

function ageOf({ issuedAt, lifetime = maximumTicketLifetime, session }: ReadState, now: number): TicketAge {
  const sinceIssued = (now - issuedAt) / 1000;
  const sinceFullHandshake = (now - (session?.establishedAt ?? issuedAt)) / 1000;
  const remaining = Math.min(lifetime - sinceIssued, maximumSessionAge / 1000 - sinceFullHandshake);
  return {
    sinceIssued,
    sinceFullHandshake,
    lifetime,
    remaining,
    refusal: refusalByAge(sinceIssued, remaining, lifetime),
  };
}

function refusalByAge(sinceIssued: number, remaining: number, lifetime: number): TicketAge['refusal'] {
  if (sinceIssued * 1000 < -maximumClockSkew) return 'from_the_future';
  if (sinceIssued > lifetime) return 'expired';
  return remaining < 0 ? 'too_old' : undefined;
}

function refusalBy(
  { encoding }: TicketTarget,
  state: Uint8Array,
  content: ReadState | undefined,
  options: InspectOptions,
): TargetVerdict['refusal'] {
  const { now = content?.issuedAt ?? 0, serverName } = options;
  const session = encoding.decode(state, { now, serverName, applicationContext: empty });
  if (session === undefined) return 'unreadable_state';
  if (typeof session === 'string') return session;
  return session.serverName === serverName ? undefined : 'server_name_mismatch';
}
