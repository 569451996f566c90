/**
 * The hybrid group X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem 4) over any backend's X25519 and any library's ML-KEM-768
 * (FIPS 203). The secret holds as long as one of the two does.
 *
 * The one surprising thing: the name says X25519 first, and on the wire and in the secret ML-KEM comes first.
 */
import { concat, wipe } from '../bytes.js';
import { UsageError } from '../errors.js';
import type { CryptoBackend, KeyExchangeGroup, KeyShare, KeyShareAnswer } from './backend.js';
import { goOn } from './maybe-promise.js';

/** FIPS 203 table 3, in bytes. */
const encapsulationKeyLength = 1184;
const ciphertextLength = 1088;
const x25519Length = 32;

/** ML-KEM-768 of some library. Lengths are checked before it is asked. */
export interface MlKem768 {
  generateKeyPair(): MlKem768KeyPair;
  /** `undefined` for a key that has a coefficient above the modulus (FIPS 203 7.2). */
  encapsulate(encapsulationKey: Uint8Array): MlKem768Encapsulation | undefined;
}

interface MlKem768KeyPair {
  /** 1184 bytes. */
  readonly encapsulationKey: Uint8Array;
  /** Answers a secret for every ciphertext of 1088 bytes: a forged one gives a secret that nobody else has. */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /** Forgets the decapsulation key, where the library can. */
  destroy?(): void;
}

interface MlKem768Encapsulation {
  /** 1088 bytes. */
  readonly ciphertext: Uint8Array;
  /** 32 bytes. */
  readonly sharedSecret: Uint8Array;
}

const group: KeyExchangeGroup = 'X25519MLKEM768';

/** The backend with the hybrid group first among its groups. Throws `UsageError` if it has no X25519. */
export function withMlKem768(backend: CryptoBackend, mlKem: MlKem768): CryptoBackend {
  const { capabilities } = backend;
  if (!capabilities.groups.includes('x25519')) {
    throw new UsageError('unsupported_by_backend', `${group} needs x25519, which backend ${backend.name} lacks`);
  }
  return {
    ...backend,
    capabilities: { ...capabilities, groups: [group, ...capabilities.groups] },
    generateKeyShare: (asked) =>
      asked === group
        ? goOn(backend.generateKeyShare('x25519'), (x25519) => hybridKeyShare(mlKem.generateKeyPair(), x25519))
        : backend.generateKeyShare(asked),
    answerKeyShare: (asked, peerPublicKey) => {
      if (asked !== group) return backend.answerKeyShare(asked, peerPublicKey);
      const peer = split(peerPublicKey, encapsulationKeyLength);
      if (peer === undefined) return undefined;
      return goOn(backend.answerKeyShare('x25519', peer.x25519), (x25519) =>
        x25519 === undefined ? undefined : hybridAnswer(mlKem.encapsulate(peer.mlKem), x25519),
      );
    },
  };
}

function hybridKeyShare(mlKem: MlKem768KeyPair, x25519: KeyShare): KeyShare {
  return {
    publicKey: concat(mlKem.encapsulationKey, x25519.publicKey),
    agree: (peerPublicKey) => {
      const peer = split(peerPublicKey, ciphertextLength);
      if (peer === undefined) return undefined;
      return goOn(x25519.agree(peer.x25519), (secret) =>
        secret === undefined ? undefined : joinSecrets(mlKem.decapsulate(peer.mlKem), secret),
      );
    },
    destroy: () => {
      mlKem.destroy?.();
      x25519.destroy?.();
    },
  };
}

function hybridAnswer(mlKem: MlKem768Encapsulation | undefined, x25519: KeyShareAnswer): KeyShareAnswer | undefined {
  if (mlKem === undefined) {
    wipe(x25519.sharedSecret);
    return undefined;
  }
  return {
    publicKey: concat(mlKem.ciphertext, x25519.publicKey),
    sharedSecret: joinSecrets(mlKem.sharedSecret, x25519.sharedSecret),
  };
}

/** The two halves of a share, or `undefined` if it is not as long as both. */
function split(share: Uint8Array, mlKemLength: number): { mlKem: Uint8Array; x25519: Uint8Array } | undefined {
  if (share.length !== mlKemLength + x25519Length) return undefined;
  return { mlKem: share.subarray(0, mlKemLength), x25519: share.subarray(mlKemLength) };
}

function joinSecrets(mlKem: Uint8Array, x25519: Uint8Array): Uint8Array {
  const secret = concat(mlKem, x25519);
  wipe(mlKem, x25519);
  return secret;
}
