/** The certificates that tests with real peers show each other: one authority, `example.test` with a key of each kind. */
import { readVectors } from './vectors.js';

/** A chain and its key in PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const pem = readVectors('captures/certificates.json') as Record<
  'ca' | 'ecdsa' | 'rsa' | 'ed25519' | 'other' | 'client',
  { certificatePem: string; privateKeyPem: string }
>;

/** Has issued all others. */
export const authority = identity('ca');

/** For `example.test`, but for `other` (`other.test`) and `client` (`client.test`). */
export const identities = {
  ecdsa: identity('ecdsa'),
  rsa: identity('rsa'),
  ed25519: identity('ed25519'),
  other: identity('other'),
  client: identity('client'),
} as const;

function identity(name: keyof typeof pem): Identity {
  return { cert: pem[name].certificatePem, key: pem[name].privateKeyPem };
}
