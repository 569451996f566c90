/**
 * Key agreement of the node backend: X25519 (RFC 7748) and ECDH on P-256, P-384 and P-521 by OpenSSL.
 *
 * The one surprising thing: a key of `generateKeyPairSync` is never exported. On Node 20 `export({ format: 'jwk' })` holds
 * the key's mutex while it allocates; a garbage collection in there may finalise the job that generated the key, which
 * wants the same mutex, and the process hangs for good. X25519 shares ask for the JWK at generation instead.
 */
import { createECDH, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { ECDH, KeyObject } from 'node:crypto';
import { UsageError } from '../errors.js';
import type { EcdheGroup, EcdsaCurve, KeyShare } from './backend.js';
import { fromBase64Url, plain } from './node-buffer.js';
import { importOkpPrivateKey, importOkpPublicKey, okpPublicKey, openSslCurves } from './node-key-object.js';
import { fieldLength, isUncompressedPoint, orUndefined, refusePrivateKey } from './refusals.js';

/** A fresh key pair, or the pair of a given `secretKey`: 32 bytes for x25519, else a scalar as long as the field. */
export function nodeKeyShare(group: EcdheGroup, secretKey?: Uint8Array): KeyShare {
  if (group !== 'x25519')
    return nistShare(group, secretKey === undefined ? freshEcdh(group) : ecdhOf(group, secretKey));
  return secretKey === undefined ? freshX25519Share() : x25519Share(importOkpPrivateKey('X25519', secretKey));
}

function freshX25519Share(): KeyShare {
  // The declared types know no JWK; the option is documented and `publicKey` is a plain object then.
  const options = { publicKeyEncoding: { format: 'jwk' } };
  const pair: { publicKey: unknown; privateKey: KeyObject } = generateKeyPairSync('x25519', options);
  const { publicKey, privateKey } = pair;
  if (typeof publicKey !== 'object' || publicKey === null || !('x' in publicKey) || typeof publicKey.x !== 'string') {
    throw new UsageError('unsupported_by_backend', 'this runtime makes no JWK of an X25519 key');
  }
  return x25519Share(privateKey, fromBase64Url(publicKey.x));
}

function x25519Share(privateKey: KeyObject, publicKey = okpPublicKey(privateKey)): KeyShare {
  return {
    publicKey,
    agree: (peer) => {
      if (peer.length !== 32) return undefined;
      // OpenSSL refuses the all-zero output (RFC 7748 6.1).
      return orUndefined(() => plain(diffieHellman({ privateKey, publicKey: importOkpPublicKey('X25519', peer) })));
    },
  };
}

function nistShare(group: EcdsaCurve, ecdh: ECDH): KeyShare {
  return {
    publicKey: plain(ecdh.getPublicKey()),
    agree: (peer) =>
      isUncompressedPoint(group, peer) ? orUndefined(() => plain(ecdh.computeSecret(peer))) : undefined,
  };
}

/** The `ECDH` class and not key objects: half the price on Node 20. */
function freshEcdh(group: EcdsaCurve): ECDH {
  const ecdh = createECDH(openSslCurves[group]);
  ecdh.generateKeys();
  return ecdh;
}

function ecdhOf(group: EcdsaCurve, scalar: Uint8Array): ECDH {
  const ecdh = createECDH(openSslCurves[group]);
  if (scalar.length !== fieldLength[group]) refusePrivateKey(`not a scalar of ${group}`);
  try {
    ecdh.setPrivateKey(scalar);
  } catch {
    refusePrivateKey(`not a scalar of ${group}`);
  }
  return ecdh;
}
