/**
 * Tickets of a server's store that are good for one connection (RFC 8446 8.1): taken before anything is known of who offers them, which is one
 * round trip, and no two servers have one.
 *
 * The surprising thing: what comes to nothing is put back, so that nobody uses up a ticket without knowing its secret. That is so whatever
 * happens between the two: a refusal, an error, the end of the connection while the store, or somebody else, still thinks.
 */
import { wipe } from '../bytes.js';
import { sessionState } from '../sessions/session-state.js';
import { wipeSession, type Tls13Session } from '../sessions/session.js';
import type { StoredSession } from './handshake-base.js';
import type { ServerHandshake } from './handshake-state.js';
import { ask, type Answers, type Handshake, type Needs, type StoreAnswer } from './needs.js';
import { ticketExpiry } from './tickets-tls13.js';

/** As long as it may have to go back. */
export interface TakenTicket extends StoredSession {
  readonly session: Tls13Session;
}

/** What the store has under the key, and has no longer if it can take. */
export function* takeState(entry: StoredSession): Handshake<StoreAnswer> {
  if (entry.store.take === undefined) return yield* ask('find_session', entry);
  return yield* ask('take_session', entry, (answer, answers) => {
    returnState(answers, entry, answer);
  });
}

/** Waits for the store, so that the ticket is there before the handshake goes on. */
export function* putBack(hs: ServerHandshake): Handshake<void> {
  const { taken } = hs;
  if (taken === undefined) return;
  hs.taken = undefined;
  yield* ask('store_session', questionOf(taken, sessionState.encode(taken.session)));
}

/** The connection is over, and the ticket was not used up. To be called before its secret is wiped. */
export function returnTaken(answers: Answers, hs: { taken: TakenTicket | undefined }): void {
  if (hs.taken !== undefined) returnTicket(answers, hs.taken);
  hs.taken = undefined;
}

/** Nobody waits for the store, so nobody hears of its failure. */
function returnTicket(answers: Answers, taken: TakenTicket): void {
  const question = questionOf(taken, sessionState.encode(taken.session));
  new Promise((resolve) => {
    resolve(answers.store_session(question));
  }).catch(() => undefined);
}

/** The connection was over before the ticket came. */
function returnState(answers: Answers, entry: StoredSession, answer: StoreAnswer): void {
  if ('failed' in answer || answer.state === undefined) return;
  const session = sessionState.decode(answer.state);
  if (session?.version === 'TLSv1.3') returnTicket(answers, { ...entry, session });
  if (session !== undefined) wipeSession(session);
  wipe(answer.state);
}

function questionOf({ store, key, session }: TakenTicket, state: Uint8Array): Needs['store_session']['question'] {
  return { store, key, state, expiresAt: ticketExpiry(session) };
}
