/**
 * The default answers to what a handshake asks: each question carries who can answer it, this passes it on.
 *
 * Session stores and ticket sealers may be far away: when one fails, the answer says so and a full handshake follows
 * (R5077-3.2-5). Everything else that fails ends the handshake.
 */
import type { MaybePromise } from '../crypto/backend.js';
import type { Answers } from '../handshake/needs.js';

const failed = { failed: true } as const;

export const defaultAnswers: Answers = {
  choose_settings: ({ settings, hello }) =>
    settings.chooseSettings === undefined ? settings : settings.chooseSettings(hello),
  find_session: ({ store, key }) =>
    attempt(
      () => store.get(key),
      (state) => ({ state }),
      failed,
    ),
  store_session: ({ store, key, state, expiresAt }) =>
    attempt(
      () => store.set(key, state, expiresAt),
      () => true,
      false,
    ),
  forget_session: ({ store, key }) =>
    attempt(
      () => store.delete(key),
      () => undefined,
      undefined,
    ),
  open_ticket: ({ sealer, ticket }) =>
    attempt(
      () => sealer.open(ticket),
      (opened) => opened,
      failed,
    ),
  seal_ticket: ({ sealer, state }) =>
    attempt(
      () => sealer.seal(state),
      (ticket) => ticket,
      undefined,
    ),
  generate_key_share: ({ crypto, group }) => crypto.generateKeyShare(group),
  agree: ({ keyShare, peer }) => keyShare.agree(peer),
  sign: ({ signer, algorithm, data }) => signer.sign(algorithm, data),
  verify_signature: ({ crypto, algorithm, publicKey, data, signature }) =>
    crypto.verify(algorithm, publicKey, data, signature),
  verify_certificate: ({ verifier, peer }) => verifier(peer),
};

/** Calls, and maps a value or the promise of one; any failure becomes `otherwise`. */
function attempt<T, R, F>(call: () => MaybePromise<T>, then: (value: T) => R, otherwise: F): MaybePromise<R | F> {
  try {
    const value = call();
    return value instanceof Promise ? value.then(then).catch(() => otherwise) : then(value);
  } catch {
    return otherwise;
  }
}
