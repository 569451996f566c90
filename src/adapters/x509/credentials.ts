/**
 * `Credentials` from PEM: a certificate chain and the private key that proves it (RFC 7468, RFC 5958), parsed by node:crypto.
 *
 * The surprising thing: a key that does not belong to the leaf is refused here, when the configuration is made, and not by
 * the first peer.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { nodeSigner, publicKeyOf } from '../../crypto/node.js';
import type { PublicKey } from '../../crypto/backend.js';
import { UsageError } from '../../errors.js';
import type { Credentials } from '../../handshake/settings.js';

/** PEM text, or its bytes. */
export type Pem = string | Uint8Array;

export interface PemCredentials {
  /** The chain, leaf first; several certificates stand one after the other. Text around them is ignored. */
  readonly cert: Pem;
  /** The leaf's private key: PKCS #8, SEC 1 or PKCS #1, encrypted or not. */
  readonly key: Pem;
  /** For an encrypted key. */
  readonly passphrase?: string;
}

/** Throws `UsageError` (`invalid_key`, `invalid_option`) for PEM that cannot be read and for a key of another certificate. */
export function credentialsFromPem({ cert, key, passphrase }: PemCredentials): Credentials {
  return credentials(certificatesFromPem(cert), privateKeyFromPem(key, passphrase));
}

/** A chain and its key, which may be any of `keys`. */
export function credentials(chain: readonly X509Certificate[], ...keys: readonly KeyObject[]): Credentials {
  const [leaf] = chain;
  if (leaf === undefined) throw new UsageError('invalid_option', '`cert` holds no certificate');
  const key = keys.find((candidate) => leaf.checkPrivateKey(candidate));
  if (key === undefined) throw new UsageError('invalid_key', '`key` does not belong to the certificate');
  return { certificates: chain.map(derOf), signer: nodeSigner(key) };
}

/** Throws `UsageError` (`invalid_key`). The error says nothing of the key. */
export function privateKeyFromPem(key: Pem, passphrase?: string): KeyObject {
  try {
    return createPrivateKey({
      key: typeof key === 'string' ? key : Buffer.from(key),
      ...(passphrase !== undefined && { passphrase }),
    });
  } catch {
    throw new UsageError('invalid_key', '`key` is no private key in PEM, or `passphrase` does not open it');
  }
}

const pemCertificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** All certificates in a PEM text, in their order. Throws `UsageError` for one that cannot be read. */
export function certificatesFromPem(pem: Pem): X509Certificate[] {
  const text = typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
  return (text.match(pemCertificate) ?? []).map((block) => {
    const certificate = parseCertificate(block);
    if (certificate === undefined) throw new UsageError('invalid_option', 'a certificate in PEM cannot be read');
    return certificate;
  });
}

/** `undefined` for bytes that are no certificate. */
export function parseCertificate(certificate: Pem): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined;
  }
}

/** The key of a certificate; `undefined` for a kind that TLS here has no use for. */
export function certificatePublicKey(certificate: X509Certificate): PublicKey | undefined {
  try {
    return publicKeyOf(certificate.publicKey);
  } catch {
    return undefined;
  }
}

/** DER in an array of its own. */
export function derOf(certificate: X509Certificate): Uint8Array {
  return new Uint8Array(certificate.raw);
}
