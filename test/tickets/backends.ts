import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';

/** Every test of tickets runs on each. */
export const backends = [nobleCrypto, nodeCrypto];
