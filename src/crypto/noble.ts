/**
 * The default backend: @noble/hashes, @noble/ciphers and @noble/curves, no native code, any runtime.
 *
 * It has no RSA, so that nobody carries it who needs none: `tls-resume/crypto/noble-rsa` adds it. The one surprising
 * thing: ChaCha20-Poly1305 is the fast AEAD here, 1.7 times AES-GCM on small records and 2.7 times in bulk.
 */
import { UsageError } from '../errors.js';
import type { CryptoBackend } from './backend.js';
import { answerWith } from './key-share.js';
import { nobleAead, nobleCbc } from './noble-cipher.js';
import { nobleCurveSigner, nobleCurveVerify, nobleKeyShare } from './noble-curves.js';
import { nobleHash, nobleHmac, nobleRunningHash } from './noble-hash.js';
import { pooledRandomBytes } from './random-pool.js';
import { refuseMlDsa, requireEcdhe } from './refusals.js';

/** `CryptoBackend` on the noble libraries, without RSA. */
export const nobleCrypto: CryptoBackend = {
  name: 'noble',
  capabilities: {
    aeads: ['chacha20-poly1305', 'aes-128-gcm', 'aes-256-gcm'],
    groups: ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'],
    signatures: ['ecdsa', 'ed25519'],
  },
  randomBytes: pooledRandomBytes,
  hash: nobleHash,
  runningHash: nobleRunningHash,
  hmac: nobleHmac,
  aead: nobleAead,
  cbc: nobleCbc,
  generateKeyShare: (group) => nobleKeyShare(requireEcdhe(group)),
  answerKeyShare: (group, peerPublicKey) => answerWith(nobleKeyShare(requireEcdhe(group)), peerPublicKey),
  signer: (key) => {
    if (key.kind === 'rsa') return refuseRsa();
    return key.kind === 'mldsa' ? refuseMlDsa() : nobleCurveSigner(key);
  },
  verify: (algorithm, key, data, signature) => {
    if (key.kind === 'rsa') return refuseRsa();
    return key.kind === 'mldsa' ? refuseMlDsa() : nobleCurveVerify(algorithm, key, data, signature);
  },
};

function refuseRsa(): never {
  throw new UsageError(
    'missing_dependency',
    'nobleCrypto has no RSA: install micro-rsa-dsa-dh and pass nobleCryptoWithRsa of tls-resume/crypto/noble-rsa',
  );
}
