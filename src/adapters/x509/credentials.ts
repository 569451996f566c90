/**
 * `Credentials` from PEM: a certificate chain and the private key that proves it (RFC 7468, RFC 5958), parsed by node:crypto.
 *
 * The surprising thing: a key that does not belong to the leaf is refused here, when the configuration is made, and not by
 * the first peer.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { nodeCrypto, nodeSigner, publicKeyOf } from '../../crypto/node.js';
import type { CryptoBackend, PublicKey, Signer } from '../../crypto/backend.js';
import { orUndefined } from '../../crypto/refusals.js';
import { UsageError } from '../../errors.js';
import type { Credentials } from '../../handshake/settings.js';
import { mlDsaCertificateKey, mlDsaSecrets, type MlDsaSecrets } from './ml-dsa.js';

/** PEM text, or its bytes. */
export type Pem = string | Uint8Array;

export interface PemCredentials {
  /** The chain, leaf first; several certificates stand one after the other. Text around them is ignored. */
  readonly cert: Pem;
  /** The leaf's private key: PKCS #8, SEC 1 or PKCS #1, encrypted or not. */
  readonly key: Pem;
  /** For an encrypted key. */
  readonly passphrase?: string;
  /** Signs with ML-DSA keys, such as `withPostQuantum(nodeCrypto)`. Default `nodeCrypto`, which can from Node.js 24.6 on. */
  readonly crypto?: CryptoBackend;
}

/** Throws `UsageError` (`invalid_key`, `invalid_option`) for PEM that cannot be read and for a key of another certificate. */
export function credentialsFromPem({ cert, key, passphrase, crypto }: PemCredentials): Credentials {
  return credentials(certificatesFromPem(cert), [privateKeyFromPem(key, passphrase)], crypto);
}

/** A chain and its key, which may be any of `keys`. */
export function credentials(
  chain: readonly X509Certificate[],
  keys: readonly PrivateKeyFromPem[],
  crypto: CryptoBackend = nodeCrypto,
): Credentials {
  const [leaf] = chain;
  if (leaf === undefined) throw new UsageError('invalid_option', '`cert` holds no certificate');
  for (const key of keys) {
    const signer = 'secretKeys' in key ? mlDsaSigner(leaf, key, crypto) : signerOf(leaf, key);
    if (signer !== undefined) return { certificates: chain.map(derOf), signer };
  }
  throw new UsageError('invalid_key', '`key` does not belong to the certificate');
}

function signerOf(leaf: X509Certificate, key: KeyObject): Signer | undefined {
  return mlDsaCertificateKey(leaf) === undefined && leaf.checkPrivateKey(key) ? nodeSigner(key) : undefined;
}

/** RFC 9881 6: of two forms of a secret each is proven to be the key of the leaf. */
function mlDsaSigner(
  leaf: X509Certificate,
  { parameterSet, secretKeys }: MlDsaSecrets,
  crypto: CryptoBackend,
): Signer | undefined {
  const publicKey = mlDsaCertificateKey(leaf);
  if (publicKey?.parameterSet !== parameterSet) return undefined;
  const [signer] = secretKeys.map((secretKey) => crypto.signer({ ...publicKey, secretKey }));
  return signer;
}

/** What a PEM text holds: a key of OpenSSL, or the secrets of an ML-DSA key. */
export type PrivateKeyFromPem = KeyObject | MlDsaSecrets;

/** Throws `UsageError` (`invalid_key`). The error says nothing of the key. */
export function privateKeyFromPem(key: Pem, passphrase?: string): PrivateKeyFromPem {
  try {
    const secrets = mlDsaSecrets(privateKeyInfo(key));
    if (secrets !== undefined) return secrets;
    return createPrivateKey({
      key: typeof key === 'string' ? key : Buffer.from(key),
      ...(passphrase !== undefined && { passphrase }),
    });
  } catch {
    throw new UsageError('invalid_key', '`key` is no private key in PEM, or `passphrase` does not open it');
  }
}

/** What the first unencrypted PKCS #8 key in a PEM text says; no bytes where there is none. */
function privateKeyInfo(pem: Pem): Uint8Array {
  const [, base64 = ''] = /-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----/.exec(textOf(pem)) ?? [];
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function textOf(pem: Pem): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
}

const pemCertificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** All certificates in a PEM text, in their order. Throws `UsageError` for one that cannot be read. */
export function certificatesFromPem(pem: Pem): X509Certificate[] {
  return (textOf(pem).match(pemCertificate) ?? []).map((block) => {
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
  return mlDsaCertificateKey(certificate) ?? orUndefined(() => publicKeyOf(certificate.publicKey));
}

/** DER in an array of its own. */
export function derOf(certificate: X509Certificate): Uint8Array {
  return new Uint8Array(certificate.raw);
}
