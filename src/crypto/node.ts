/**
 * The fast backend, on node:crypto, and a hybrid: short MACs stay on noble's kept states, everything else goes to OpenSSL. The one surprising thing: it has the parts that alone below the adapters import `node:`, so only code
 * for Node.js may import it.
 */
import type { CryptoBackend } from './backend.js';
import { answerWith } from './key-share.js';
import { withMlKem } from './ml-kem-groups.js';
import { NodeCbcKey } from './node-cbc.js';
import { NodeHmacKey } from './node-hmac.js';
import { nodeKeyShare } from './node-key-share.js';
import { nodeMlKem } from './node-mlkem.js';
import { nodeHasMlDsa, nodeKeySigner, nodeVerify } from './node-signature.js';
import { NodeAeadKey, NodeRunningHash, nodeHash } from './node-symmetric.js';
import { pooledRandomBytes } from './random-pool.js';
import { requireEcdhe } from './refusals.js';

export { nodeCertificateCompression } from './node-compression.js';
export { publicKeyOf } from './node-key-object.js';
export { nodeSigner } from './node-signature.js';

const ecdheOnly: CryptoBackend = {
  name: 'node',
  capabilities: {
    aeads: ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'],
    groups: ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'],
    signatures: ['ecdsa', 'ed25519', 'rsa_pss', 'rsa_pkcs1', ...(nodeHasMlDsa ? (['mldsa'] as const) : [])],
  },
  randomBytes: pooledRandomBytes,
  hash: nodeHash,
  runningHash: (algorithm) => new NodeRunningHash(algorithm),
  hmac: (algorithm, key) => new NodeHmacKey(algorithm, key),
  aead: (algorithm, key) => new NodeAeadKey(algorithm, key),
  cbc: (key) => new NodeCbcKey(key),
  generateKeyShare: (group) => nodeKeyShare(requireEcdhe(group)),
  answerKeyShare: (group, peerPublicKey) => answerWith(nodeKeyShare(requireEcdhe(group)), peerPublicKey),
  signer: nodeKeySigner,
  verify: nodeVerify,
};

/** `CryptoBackend` on node:crypto, and on noble where that is faster. It has ML-KEM and ML-DSA where Node.js has them. */
export const nodeCrypto: CryptoBackend = withMlKem(ecdheOnly, nodeMlKem);
