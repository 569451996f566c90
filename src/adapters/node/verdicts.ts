/**
 * What a verifier has said in one handshake, chain by chain.
 *
 * The surprising thing: it is asked about more than the peer. Each session that is offered has a chain to be judged, and anybody can offer
 * a ticket that he has seen. Who the peer is tells the chain that the handshake came to (P-bind-4, P-bind-6), and only the verdict about that
 * one is `authorized`.
 */
import { equal } from '../../bytes.js';
import type { MaybePromise } from '../../crypto/backend.js';
import { goOn } from '../../crypto/maybe-promise.js';
import { AlertError } from '../../errors.js';
import type { Needs } from '../../handshake/needs.js';
import type { CertificateVerdict } from '../../handshake/settings.js';
import { leafPublicKey } from '../x509/node-verifier.js';

type Chain = readonly Uint8Array[];

export class Verdicts {
  readonly #rejectUnauthorized: boolean;
  readonly #given: { readonly chain: Chain; readonly verdict: CertificateVerdict }[] = [];

  constructor(rejectUnauthorized: boolean) {
    this.#rejectUnauthorized = rejectUnauthorized;
  }

  /** Asks, remembers the verdict, and turns it where anybody is let in. */
  readonly ask = ({ verifier, peer }: Needs['verify_certificate']['question']): MaybePromise<CertificateVerdict> =>
    goOn(verifier(peer), (verdict) => {
      this.#given.push({ chain: peer.certificates, verdict });
      const publicKey = verdict.accepted || this.#rejectUnauthorized ? undefined : leafPublicKey(peer.certificates);
      return publicKey === undefined ? verdict : { accepted: true, publicKey };
    });

  /** P-early-3: whether nothing that was asked about was refused. */
  get areAllGood(): boolean {
    return this.#given.every(({ verdict }) => verdict.accepted);
  }

  /** The last verdict about this chain; nobody has accepted one that nobody was asked about. */
  about(chain: Chain): { readonly authorized: boolean; readonly authorizationError: AlertError | null } {
    const found = this.#given.filter((given) => isSame(given.chain, chain)).at(-1);
    if (found === undefined || chain.length === 0) return { authorized: false, authorizationError: null };
    return { authorized: found.verdict.accepted, authorizationError: errorOf(found.verdict) };
  }
}

function errorOf(verdict: CertificateVerdict): AlertError | null {
  return verdict.accepted ? null : new AlertError(verdict.alert, verdict.reason);
}

function isSame(a: Chain, b: Chain): boolean {
  return a.length === b.length && a.every((der, i) => equal(der, b[i] ?? new Uint8Array(0)));
}
