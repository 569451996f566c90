/**
 * Tickets of a store that are good for one connection. A server takes them before anything is known of who offers them (RFC 8446 8.1), which is
 * one round trip, and no two servers have one; a client before it says hello (C.4).
 *
 * The surprising thing: what comes to nothing is put back, so that nobody uses up a ticket without knowing its secret. That is so whatever
 * happens between the two: a refusal, an error, the end of the connection while the store, or somebody else, still thinks. And a client whose
 * hello never left has its ticket still.
 */
import { wipe } from '../bytes.js';
import { wipeSession } from '../sessions/session.js';
import type { OwnEncoding, StoredSession, TakenTicket } from './handshake-base.js';
import { ask, type Answers, type Handshake, type Needs, type StoreAnswer } from './needs.js';
import { ticketExpiry } from './tickets-tls13.js';

/** What the store has under the key, and has no longer if it can take. */
export function* takeState(entry: StoredSession, encoding: OwnEncoding): Handshake<StoreAnswer> {
  if (entry.store.take === undefined) return yield* ask('find_session', entry);
  return yield* ask('take_session', entry, (answer, answers) => {
    returnState(answers, entry, encoding, answer);
  });
}

/** Waits for the store, so that the ticket is there before the handshake goes on. */
export function* putBack(hs: { taken: TakenTicket | undefined }): Handshake<void> {
  const { taken } = hs;
  if (taken === undefined) return;
  hs.taken = undefined;
  yield* ask('store_session', questionOf(taken));
}

/** The connection is over, and the ticket was not used up. To be called before its secret is wiped. */
export function returnTaken(answers: Answers, hs: { taken: TakenTicket | undefined }): void {
  if (hs.taken !== undefined) returnTicket(answers, hs.taken);
  hs.taken = undefined;
}

/** Nobody waits for the store, so nobody hears of its failure. */
function returnTicket(answers: Answers, taken: TakenTicket): void {
  const question = questionOf(taken);
  new Promise((resolve) => {
    resolve(answers.store_session(question));
  }).catch(() => undefined);
}

/** The connection was over before the ticket came. */
function returnState(answers: Answers, entry: StoredSession, encoding: OwnEncoding, answer: StoreAnswer): void {
  // Whatever the outside has answered here: nobody would hear of a mistake.
  const state: unknown = typeof answer === 'object' && 'state' in answer ? answer.state : undefined;
  if (!(state instanceof Uint8Array)) return;
  const session = encoding.decode(state);
  if (session?.version === 'TLSv1.3') returnTicket(answers, { ...entry, session, encoding });
  if (session !== undefined) wipeSession(session);
  wipe(state);
}

function questionOf({ store, key, session, encoding }: TakenTicket): Needs['store_session']['question'] {
  return { store, key, state: encoding.encode(session), expiresAt: ticketExpiry(session) };
}
