/**
 * The fast backend, on node:crypto, and a hybrid: short hashes, MACs and CBC stay on noble's kept states, everything
 * else goes to OpenSSL. The one surprising thing: it is the only module beside its two parts that may import `node:`
 * below the adapters, so nothing imports it but those who run on Node.js.
 */
import type { CryptoBackend } from './backend.js';
import { nodeKeyShare, nodeKeySigner, nodeVerify } from './node-public-key.js';
import { NodeAeadKey, NodeCbcKey, NodeHmacKey, NodeRunningHash, nodeHash } from './node-symmetric.js';
import { pooledRandomBytes } from './random-pool.js';

export { nodeSigner, publicKeyOf } from './node-public-key.js';

/** `CryptoBackend` on node:crypto, and on noble where that is faster. */
export const nodeCrypto: CryptoBackend = {
  name: 'node',
  capabilities: {
    aeads: ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'],
    groups: ['x25519', 'secp256r1', 'secp384r1'],
    signatures: ['ecdsa', 'ed25519', 'rsa_pss', 'rsa_pkcs1'],
  },
  randomBytes: pooledRandomBytes,
  hash: nodeHash,
  runningHash: (algorithm) => new NodeRunningHash(algorithm),
  hmac: (algorithm, key) => new NodeHmacKey(algorithm, key),
  aead: (algorithm, key) => new NodeAeadKey(algorithm, key),
  cbc: (key) => new NodeCbcKey(key),
  generateKeyShare: (group) => nodeKeyShare(group),
  signer: nodeKeySigner,
  verify: nodeVerify,
};
