/**
 * Chains that were accepted, so that the same server's next full handshake need not walk the path again. A verdict lives as
 * long as every certificate of its path is valid, whatever the clock does.
 *
 * Refusals are not kept: they may heal, and a peer could fill the cache with them.
 */
import { hash, type X509Certificate } from 'node:crypto';
import { ascii, join } from '../../bytes.js';
import type { CertificateVerdict } from '../../handshake/settings.js';
import type { Certificate } from './certificate.js';

/** Chains kept at most; each costs some kilobytes. */
export const defaultMaxVerdicts = 256;

export interface AcceptedChain {
  readonly leaf: X509Certificate;
  readonly verdict: Extract<CertificateVerdict, { accepted: true }>;
}

interface Entry extends AcceptedChain {
  readonly notBefore: number;
  readonly notAfter: number;
}

export class VerdictCache {
  readonly #maxVerdicts: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(maxVerdicts: number) {
    this.#maxVerdicts = maxVerdicts;
  }

  get(role: string, certificates: readonly Uint8Array[], now: number): AcceptedChain | undefined {
    const key = keyOf(role, certificates);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (now < entry.notBefore || now > entry.notAfter) return undefined;
    this.#entries.set(key, entry);
    return entry;
  }

  add(role: string, certificates: readonly Uint8Array[], path: readonly Certificate[], chain: AcceptedChain): void {
    if (this.#maxVerdicts === 0) return;
    if (this.#entries.size >= this.#maxVerdicts) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(keyOf(role, certificates), {
      ...chain,
      notBefore: Math.max(...path.map(({ notBefore }) => notBefore)),
      notAfter: Math.min(...path.map(({ notAfter }) => notAfter)),
    });
  }
}

/** SHA-256 over an unambiguous encoding of all that was judged. */
function keyOf(role: string, certificates: readonly Uint8Array[]): string {
  const lengths = certificates.map((der) => der.length);
  return hash('sha256', join([ascii(`${role}:${lengths.join()}:`), ...certificates]), 'binary');
}
