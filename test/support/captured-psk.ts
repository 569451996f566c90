/** The PSKs that recorded ClientHellos of TLS 1.3 offer, as far as their owners told. */
import { fromHex } from '../../src/bytes.js';
import type { CryptoBackend, HashAlgorithm } from '../../src/crypto/backend.js';
import { resumptionPsk, type PskKind } from '../../src/key-schedule/tls13.js';
import type { CapturedConnection } from './capture.js';

export interface CapturedPsk {
  readonly kind: PskKind;
  readonly hash: HashAlgorithm;
  readonly key: Uint8Array;
}

/** What the first identity that a connection offers stands for. Go seals the secret into the ticket that the others keep outside. */
export function pskOf(crypto: CryptoBackend, { externalPsk, resumes }: CapturedConnection): CapturedPsk | undefined {
  if (externalPsk !== undefined) return { kind: 'external', hash: 'sha256', key: externalPsk };
  if (resumes?.sessionPsk !== undefined) {
    const hash = resumes.sessionPsk.length === 48 ? 'sha384' : 'sha256';
    return { kind: 'resumption', hash, key: resumes.sessionPsk };
  }
  const [{ resumptionMasterSecretHex, nonce = '' } = { nonce: '' }] = resumes?.contents.tickets ?? [];
  if (resumptionMasterSecretHex === undefined) return undefined;
  const key = resumptionPsk(crypto, 'sha256', fromHex(resumptionMasterSecretHex), fromHex(nonce));
  return { kind: 'resumption', hash: 'sha256', key };
}
