/** A peer's chain in the shape of `node:tls`. */
import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';

/** A certificate as a plain object; where details are asked for, with the next certificate of the chain. */
export interface ChainedPeerCertificate extends PeerCertificate {
  issuerCertificate?: ChainedPeerCertificate;
}

/** The leaf, with its issuers linked from it if `detailed`; `undefined` for an empty chain. */
export function peerCertificate(chain: readonly Uint8Array[], detailed: boolean): ChainedPeerCertificate | undefined {
  return (detailed ? chain : chain.slice(0, 1)).reduceRight<ChainedPeerCertificate | undefined>(
    (issuer, der) => ({
      ...new X509Certificate(der).toLegacyObject(),
      ...(issuer !== undefined && { issuerCertificate: issuer }),
    }),
    undefined,
  );
}
