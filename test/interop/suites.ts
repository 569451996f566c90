/** Every cipher suite with certificates here, on each backend. */
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import {
  isPskSuite,
  isTls12CipherSuite,
  isTls13CipherSuite,
  tls12Suites,
  tls13Suites,
  type Tls12CipherSuite,
  type Tls13CipherSuite,
} from '../../src/key-schedule/suites.js';
import { backendNames, type BackendName } from '../support/seeded.js';

export const backends = { noble: nobleCryptoWithRsa, node: nodeCrypto } as const;

export const suitesAndBackends: (readonly [Tls12CipherSuite, BackendName])[] = Object.keys(tls12Suites)
  .filter(isTls12CipherSuite)
  .filter((suite) => !isPskSuite(suite))
  .flatMap((suite) => backendNames.map((backend) => [suite, backend] as const));

export const tls13SuitesAndBackends: (readonly [Tls13CipherSuite, BackendName])[] = Object.keys(tls13Suites)
  .filter(isTls13CipherSuite)
  .flatMap((suite) => backendNames.map((backend) => [suite, backend] as const));
