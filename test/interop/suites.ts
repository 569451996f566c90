/** Every cipher suite of TLS 1.2 here, on each backend. */
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { isTls12CipherSuite, tls12Suites, type Tls12CipherSuite } from '../../src/key-schedule/suites.js';
import { backendNames, type BackendName } from '../support/seeded.js';

export const backends = { noble: nobleCryptoWithRsa, node: nodeCrypto } as const;

export const suitesAndBackends: (readonly [Tls12CipherSuite, BackendName])[] = Object.keys(tls12Suites)
  .filter(isTls12CipherSuite)
  .flatMap((suite) => backendNames.map((backend) => [suite, backend] as const));
