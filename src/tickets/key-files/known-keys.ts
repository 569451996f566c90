/**
 * Keys that everybody knows: from manuals, test suites and examples, which find their way into servers by copying. Kept are digests of
 * their secret parts, so that no search for secrets finds a key here.
 */
import { toHex } from '../../bytes.js';
import { nobleHash } from '../../crypto/noble-hash.js';

/** Where they are published, and the first 8 bytes of SHA-256 of each secret part. */
const publications: readonly (readonly [publication: string, digests: string])[] = [
  ['NIST SP 800-38A', `b93c72b74bc8487d d4ffb8b77f7d6b26`],
  ['RFC 5869, and the tests of s2n-tls', `1a93e2351affed65 2d3809a26e194d8f d6a0e0a6aaadb10a`],
  ['the manual of BFE', `0565c4057709379e 5a6695866580055b`],
  [
    'the test vectors of tls-resume',
    `066c380c4c113f90 11a3630d1c396b9f 182437c7710b19ab 19102d38f4ead957 1ac62fa9414ad1cd
    2197d2db41548417 26ad5a8aa456ad10 27ade42b3281c847 55f4d54a15951287 61b0ed5225d3fb87
    630dcd2966c43366 6a8507f7213271ac 6b9491d6271043dd 7838d612814a8a90 acd0ae1d19794f84
    ae216c2ef5247a37 afa661e207c43ecf b5d65b200f83fa7c b6db08f66a0df6cb d2a5e13df223c5e1
    d3746b07e765d94d d6f97d9e5b2a8460 dc16f2e6b68ac05e e33ae93bb78d06ae ed4aacdf48d8a1db
    ed52dc93c6f81f41 faa40094c5a0feff fdeab9acf3710362`,
  ],
  ['the tests of lua-ssl-nginx-module', `4e5f5a26b6deecce 502c63106adc51ec ebc4012a2cef9b12 ff4e480dd28e5330`],
];

/** Where this secret part of a key is published, if it is known to be. */
export function publicationOf(part: Uint8Array): string | undefined {
  const digest = toHex(nobleHash('sha256', part).subarray(0, 8));
  return publications.find(([, digests]) => digests.includes(digest))?.[0];
}
