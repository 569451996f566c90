/** What `serve` and `connect` have in common: the crypto backend, imported when it is known which one, and keys for it. */
import type { KeyObject } from 'node:crypto';
import type { CryptoBackend, EcdsaCurve, PrivateKey } from '../crypto/backend.js';
import { isMlKemGroup } from '../crypto/refusals.js';
import { concat, equal } from '../bytes.js';
import { UsageError } from '../errors.js';
import type { HandshakeFlags } from './flags.js';
import type { Psk } from './values.js';

/** `noble` is the one with RSA where its library is installed. */
export async function cryptoBackend({ crypto: name, groups = [] }: HandshakeFlags): Promise<CryptoBackend> {
  const backend = name === 'node' ? (await import('../crypto/node.js')).nodeCrypto : await noble();
  const lacking = groups.some((group) => !backend.capabilities.groups.includes(group));
  return lacking ? (await import('../crypto/noble-post-quantum.js')).withPostQuantum(backend) : backend;
}

async function noble(): Promise<CryptoBackend> {
  try {
    return (await import('../crypto/noble-rsa.js')).nobleCryptoWithRsa;
  } catch (error) {
    if (error instanceof UsageError) return (await import('../crypto/noble.js')).nobleCrypto;
    throw error;
  }
}

/** The groups with ML-KEM are of TLS 1.3: alone, they say that TLS 1.2 is not wanted. */
export function handshakeOptions({ minVersion, maxVersion, groups, psk }: HandshakeFlags, role: 'client' | 'server') {
  const min = minVersion ?? (groups?.every(isMlKemGroup) === true ? 'TLSv1.3' : undefined);
  return {
    ...(min !== undefined && { minVersion: min }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(groups !== undefined && { groups }),
    ...(psk !== undefined && pskOptions(psk, role)),
  };
}

/** One PSK for both versions, as test tools have it: those of a service should differ (RFC 8446 E.7). */
function pskOptions(psk: Psk, role: 'client' | 'server') {
  return {
    externalPsks: [{ ...psk, role, withoutImporter: true as const }],
    ...(role === 'client'
      ? { selectTls12Psk: () => psk }
      : { findTls12Psk: (identity: Uint8Array) => (equal(identity, psk.identity) ? psk.key : undefined) }),
  };
}

/** The raw parts of a key that was read from a file. Throws `UsageError` for kinds that have no JSON Web Key (RFC 7517). */
export function rawPrivateKey(key: KeyObject): PrivateKey {
  const part = (name: JwkPart): Uint8Array => {
    const value = jwk[name];
    if (value === undefined) throw new UsageError('invalid_key', 'a private key lacks a part');
    return new Uint8Array(Buffer.from(value, 'base64url'));
  };
  const jwk = exportJwk(key);
  const curve = curves.get(jwk.crv);
  if (curve !== undefined) {
    const point = concat(Uint8Array.of(4), part('x'), part('y'));
    return { kind: 'ecdsa', curve, scalar: part('d'), point };
  }
  if (jwk.crv === 'Ed25519') return { kind: 'ed25519', seed: part('d'), key: part('x') };
  if (jwk.kty !== 'RSA')
    throw new UsageError('invalid_key', `--crypto noble has no use for a key on ${String(jwk.crv)}`);
  return {
    kind: 'rsa',
    modulus: part('n'),
    exponent: part('e'),
    privateExponent: part('d'),
    prime1: part('p'),
    prime2: part('q'),
    exponent1: part('dp'),
    exponent2: part('dq'),
    coefficient: part('qi'),
  };
}

type JwkPart = 'd' | 'dp' | 'dq' | 'e' | 'n' | 'p' | 'q' | 'qi' | 'x' | 'y';

const curves = new Map<string | undefined, EcdsaCurve>([
  ['P-256', 'secp256r1'],
  ['P-384', 'secp384r1'],
  ['P-521', 'secp521r1'],
]);

function exportJwk(key: KeyObject) {
  try {
    return key.export({ format: 'jwk' });
  } catch {
    throw new UsageError('invalid_key', `--crypto noble has no use for a key of kind ${String(key.asymmetricKeyType)}`);
  }
}
