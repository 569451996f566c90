/** What `node:tls` tells of a connection, in its words. */
import { X509Certificate } from 'node:crypto';
import type { CipherNameAndProtocol, EphemeralKeyInfo, PeerCertificate } from 'node:tls';
import type { HandshakeEvent } from '../../connection/events.js';
import { opensslCipherName } from './names.js';

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

export function cipherOf({ cipherSuite, version }: HandshakeEvent): CipherNameAndProtocol {
  return { name: opensslCipherName(cipherSuite), standardName: cipherSuite, version };
}

/** Empty where there was no key exchange, whatever the session remembers of one, and for groups that OpenSSL has no such words for. */
export function ephemeralKeyOf({ group, mode }: HandshakeEvent): EphemeralKeyInfo | object {
  return mode === 'session_id' || mode === 'ticket' ? {} : (ephemeralKeys[group ?? ''] ?? {});
}

/** What OpenSSL says of the groups. */
const ephemeralKeys: Readonly<Record<string, EphemeralKeyInfo>> = {
  x25519: { type: 'ECDH', name: 'X25519', size: 253 },
  secp256r1: { type: 'ECDH', name: 'prime256v1', size: 256 },
  secp384r1: { type: 'ECDH', name: 'secp384r1', size: 384 },
  secp521r1: { type: 'ECDH', name: 'secp521r1', size: 521 },
};
