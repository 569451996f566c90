/**
 * The default answers to what a handshake asks: each question carries who can answer it, this passes it on.
 *
 * Session stores and ticket sealers may be far away: when one fails, the answer says so and a full handshake follows
 * (R5077-3.2-5). Everything else that fails ends the handshake.
 */
import { wipe } from '../bytes.js';
import type { MaybePromise } from '../crypto/backend.js';
import { goOn } from '../crypto/maybe-promise.js';
import type { ReplayAnswer } from '../early-data/replay-guard.js';
import { fitting, isBytes } from '../handshake/hooks.js';
import type { ExternalPsk } from '../handshake/settings.js';
import type { StoredSession } from '../handshake/handshake-base.js';
import type { Answers, StoreAnswer, TicketAnswer } from '../handshake/needs.js';
import type { OpenedTicket } from '../tickets/sealer.js';
import { isPromise } from './driver.js';

const failed = { failed: true } as const;

export const defaultAnswers: Answers = {
  choose_settings: ({ settings, hello }) =>
    settings.chooseSettings === undefined ? settings : settings.chooseSettings(hello),
  find_ocsp_response: ({ credentials }) => credentials.ocspResponse,
  choose_credentials: ({ choose, request }) => choose(request),
  find_session: ({ store, key }) => attempt(() => store.get(key), foundState, failed),
  take_session: ({ store, key }) => attempt(() => store.take?.(key), foundState, failed),
  store_session: ({ store, key, state, expiresAt }) =>
    wiping(
      state,
      attempt(
        () => store.set(key, state, expiresAt),
        () => true,
        false,
      ),
    ),
  forget_session: ({ store, key }) =>
    attempt(
      () => store.delete(key),
      () => undefined,
      undefined,
    ),
  open_ticket: ({ sealer, ticket }) => attempt(() => sealer.open(ticket), openedTicket, failed),
  seal_ticket: ({ sealer, state }) =>
    wiping(
      state,
      attempt(
        () => sealer.seal(state),
        (ticket) => (ticket instanceof Uint8Array && ticket.length <= maxTicketLength ? ticket : undefined),
        undefined,
      ),
    ),
  find_external_psk: ({ lookup, identity }) => goOn(lookup(identity), foundPsk),
  select_tls12_psk: ({ select, identityHint }) => goOn(select(identityHint), orNobody),
  find_tls12_psk: ({ lookup, identity }) => goOn(lookup(identity), orNobody),
  check_replay: ({ guard, key, expiresAt }) => attempt(() => guard.check(key, expiresAt), replayAnswer, 'not_checked'),
  generate_key_share: ({ crypto, group }) => crypto.generateKeyShare(group),
  answer_key_share: ({ crypto, group, peer }) => crypto.answerKeyShare(group, peer),
  agree: ({ keyShare, peer }) => keyShare.agree(peer),
  sign: ({ signer, algorithm, data }) => signer.sign(algorithm, data),
  verify_signature: ({ crypto, algorithm, publicKey, data, signature }) =>
    crypto.verify(algorithm, publicKey, data, signature),
  verify_certificate: ({ verifier, peer }) => verifier(peer),
};

/**
 * RFC 5246 7.2.2, RFC 8446 6.2: no session survives a fatal alert of its connection. Nobody waits for the answer, so nobody hears of its
 * failure.
 */
export function forgetSession(answers: Answers, stored: StoredSession | undefined): void {
  if (stored === undefined) return;
  new Promise((resolve) => {
    resolve(answers.forget_session(stored));
  }).catch(() => undefined);
}

/** RFC 5077 3.3: `opaque ticket<0..2^16-1>`. */
const maxTicketLength = 2 ** 16 - 1;

/** Stores are written by others, and many answer `null` for nothing. */
function foundState(state: unknown): StoreAnswer {
  if (state === undefined || state === null) return { state: undefined };
  return state instanceof Uint8Array ? { state } : failed;
}

function openedTicket(opened: OpenedTicket): TicketAnswer {
  const { state, reason }: { readonly state?: unknown; readonly reason?: unknown } = opened;
  return state instanceof Uint8Array || (state === undefined && typeof reason === 'string') ? opened : failed;
}

/** `null` is nobody here as well, and half a PSK is none. */
function foundPsk(psk: ExternalPsk | null | undefined): ExternalPsk | undefined {
  return psk === undefined || psk === null ? undefined : fitting('findExternalPsk', psk, isExternalPsk);
}

function isExternalPsk(psk: unknown): boolean {
  const { identity, key, hash, role }: Partial<Record<keyof ExternalPsk, unknown>> =
    typeof psk === 'object' ? { ...psk } : {};
  const isWhole = isBytes(identity) && isBytes(key) && (hash === 'sha256' || hash === 'sha384');
  return isWhole && (role === 'client' || role === 'server');
}

/** `null` is nobody here as well. */
function orNobody<T>(answer: T | null | undefined): T | undefined {
  return answer ?? undefined;
}

/** P-early-1: whatever a guard answers, only its `fresh` is one. */
function replayAnswer(answer: unknown): ReplayAnswer {
  return answer === 'fresh' || answer === 'replayed' || answer === 'maybe_replayed' ? answer : 'not_checked';
}

/** A session written down for somebody else, who has his own by the time that he answers. */
function wiping<T>(state: Uint8Array, answer: MaybePromise<T>): MaybePromise<T> {
  return goOn(answer, (value) => {
    wipe(state);
    return value;
  });
}

/** Calls, and maps a value or the promise of one; any failure becomes `otherwise`. */
function attempt<T, R, F>(call: () => MaybePromise<T>, then: (value: T) => R, otherwise: F): MaybePromise<R | F> {
  try {
    const value = call();
    return isPromise(value)
      ? Promise.resolve(value)
          .then(then)
          .catch(() => otherwise)
      : then(value);
  } catch {
    return otherwise;
  }
}
