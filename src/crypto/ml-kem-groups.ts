/**
 * The groups with ML-KEM (FIPS 203) over any library's ML-KEM and any backend's elliptic curves: hybrids
 * (draft-ietf-tls-ecdhe-mlkem 4), whose secret holds as long as one of the two does, and ML-KEM alone (draft-ietf-tls-mlkem).
 *
 * The one surprising thing: which half comes first, on the wire and in the secret, differs. It is the point of the NIST curves,
 * and ML-KEM in X25519MLKEM768, whose name says the contrary.
 */
import { concat, wipe } from '../bytes.js';
import { UsageError } from '../errors.js';
import type {
  CryptoBackend,
  EcdheGroup,
  KeyExchangeGroup,
  KeyShare,
  KeyShareAnswer,
  MaybePromise,
  MlKemGroup,
} from './backend.js';
import { goOn } from './maybe-promise.js';

export type MlKemParameterSet = 'ML-KEM-512' | 'ML-KEM-768' | 'ML-KEM-1024';

/** One parameter set of ML-KEM of some library. Lengths are checked before it is asked. */
export interface MlKem {
  generateKeyPair(): MlKemKeyPair;
  /** `undefined` for a key that has a coefficient above the modulus (FIPS 203 7.2). */
  encapsulate(encapsulationKey: Uint8Array): MlKemEncapsulation | undefined;
}

interface MlKemKeyPair {
  readonly encapsulationKey: Uint8Array;
  /** Answers a secret for every ciphertext of the right length: a forged one gives a secret that nobody else has. */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /** Forgets the decapsulation key, where the library can. */
  destroy?(): void;
}

interface MlKemEncapsulation {
  readonly ciphertext: Uint8Array;
  /** 32 bytes. */
  readonly sharedSecret: Uint8Array;
}

/** FIPS 203 table 3, in bytes. */
const mlKemLengths: Record<MlKemParameterSet, { readonly encapsulationKey: number; readonly ciphertext: number }> = {
  'ML-KEM-512': { encapsulationKey: 800, ciphertext: 768 },
  'ML-KEM-768': { encapsulationKey: 1184, ciphertext: 1088 },
  'ML-KEM-1024': { encapsulationKey: 1568, ciphertext: 1568 },
};

/** What a hybrid group has beside ML-KEM: the length of its share in bytes, and whether it stands first. */
interface EcdheHalf {
  readonly group: EcdheGroup;
  readonly length: number;
  readonly first: boolean;
}

interface MlKemGroupParts {
  readonly group: MlKemGroup;
  readonly parameterSet: MlKemParameterSet;
  /** Left out: ML-KEM alone. */
  readonly ecdhe?: EcdheHalf;
}

const mlKemGroups: readonly MlKemGroupParts[] = [
  { group: 'X25519MLKEM768', parameterSet: 'ML-KEM-768', ecdhe: { group: 'x25519', length: 32, first: false } },
  { group: 'SecP256r1MLKEM768', parameterSet: 'ML-KEM-768', ecdhe: { group: 'secp256r1', length: 65, first: true } },
  { group: 'SecP384r1MLKEM1024', parameterSet: 'ML-KEM-1024', ecdhe: { group: 'secp384r1', length: 97, first: true } },
  { group: 'MLKEM512', parameterSet: 'ML-KEM-512' },
  { group: 'MLKEM768', parameterSet: 'ML-KEM-768' },
  { group: 'MLKEM1024', parameterSet: 'ML-KEM-1024' },
];

/**
 * The backend with those groups that it lacks and that the given parameter sets make possible. Throws `UsageError` if it has no
 * X25519.
 */
export function withMlKem(
  backend: CryptoBackend,
  mlKem: Readonly<Partial<Record<MlKemParameterSet, MlKem>>>,
): CryptoBackend {
  const { capabilities } = backend;
  if (!capabilities.groups.includes('x25519'))
    throw new UsageError('unsupported_by_backend', `X25519MLKEM768 needs x25519, which backend ${backend.name} lacks`);
  const added = new Map<KeyExchangeGroup, AddedGroup>();
  for (const { group, parameterSet, ecdhe } of mlKemGroups) {
    const kem = mlKem[parameterSet];
    if (kem === undefined || capabilities.groups.includes(group)) continue;
    const lengths = mlKemLengths[parameterSet];
    if (ecdhe === undefined) added.set(group, mlKemAlone(kem, lengths));
    else if (capabilities.groups.includes(ecdhe.group)) added.set(group, hybrid(backend, ecdhe, kem, lengths));
  }
  if (added.size === 0) return backend;
  return {
    ...backend,
    capabilities: { ...capabilities, groups: [...added.keys(), ...capabilities.groups] },
    generateKeyShare: (group) => added.get(group)?.generate() ?? backend.generateKeyShare(group),
    answerKeyShare: (group, peerPublicKey) => {
      const own = added.get(group);
      return own === undefined ? backend.answerKeyShare(group, peerPublicKey) : own.answer(peerPublicKey);
    },
  };
}

interface AddedGroup {
  generate(): MaybePromise<KeyShare>;
  answer(peerPublicKey: Uint8Array): MaybePromise<KeyShareAnswer | undefined>;
}

type Lengths = (typeof mlKemLengths)[MlKemParameterSet];

function mlKemAlone(mlKem: MlKem, lengths: Lengths): AddedGroup {
  return {
    generate: () => {
      const keyPair = mlKem.generateKeyPair();
      return {
        publicKey: keyPair.encapsulationKey,
        agree: (peer) => (peer.length === lengths.ciphertext ? keyPair.decapsulate(peer) : undefined),
        destroy: () => keyPair.destroy?.(),
      };
    },
    answer: (peer) => {
      const encapsulation = peer.length === lengths.encapsulationKey ? mlKem.encapsulate(peer) : undefined;
      return encapsulation && { publicKey: encapsulation.ciphertext, sharedSecret: encapsulation.sharedSecret };
    },
  };
}

function hybrid(backend: CryptoBackend, ecdhe: EcdheHalf, mlKem: MlKem, lengths: Lengths): AddedGroup {
  return {
    generate: () =>
      goOn(backend.generateKeyShare(ecdhe.group), (share) =>
        hybridKeyShare(ecdhe, mlKem.generateKeyPair(), share, lengths.ciphertext),
      ),
    answer: (peerPublicKey) => {
      const peer = split(peerPublicKey, ecdhe, lengths.encapsulationKey);
      if (peer === undefined) return undefined;
      return goOn(backend.answerKeyShare(ecdhe.group, peer.ecdhe), (answer) =>
        answer === undefined ? undefined : hybridAnswer(ecdhe, mlKem.encapsulate(peer.mlKem), answer),
      );
    },
  };
}

function hybridKeyShare(ecdhe: EcdheHalf, mlKem: MlKemKeyPair, share: KeyShare, ciphertextLength: number): KeyShare {
  return {
    publicKey: concat(...inOrder(ecdhe, mlKem.encapsulationKey, share.publicKey)),
    agree: (peerPublicKey) => {
      const peer = split(peerPublicKey, ecdhe, ciphertextLength);
      if (peer === undefined) return undefined;
      return goOn(share.agree(peer.ecdhe), (secret) =>
        secret === undefined ? undefined : joinSecrets(ecdhe, mlKem.decapsulate(peer.mlKem), secret),
      );
    },
    destroy: () => {
      mlKem.destroy?.();
      share.destroy?.();
    },
  };
}

function hybridAnswer(
  ecdhe: EcdheHalf,
  mlKem: MlKemEncapsulation | undefined,
  answer: KeyShareAnswer,
): KeyShareAnswer | undefined {
  if (mlKem === undefined) {
    wipe(answer.sharedSecret);
    return undefined;
  }
  return {
    publicKey: concat(...inOrder(ecdhe, mlKem.ciphertext, answer.publicKey)),
    sharedSecret: joinSecrets(ecdhe, mlKem.sharedSecret, answer.sharedSecret),
  };
}

/** The two halves of a share, or `undefined` if it is not as long as both. */
function split(
  share: Uint8Array,
  { length, first }: EcdheHalf,
  mlKemLength: number,
): { mlKem: Uint8Array; ecdhe: Uint8Array } | undefined {
  if (share.length !== mlKemLength + length) return undefined;
  const at = first ? length : mlKemLength;
  const [front, back] = [share.subarray(0, at), share.subarray(at)];
  return first ? { ecdhe: front, mlKem: back } : { mlKem: front, ecdhe: back };
}

function inOrder({ first }: EcdheHalf, mlKem: Uint8Array, ecdhe: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return first ? [ecdhe, mlKem] : [mlKem, ecdhe];
}

function joinSecrets(half: EcdheHalf, mlKem: Uint8Array, ecdhe: Uint8Array): Uint8Array {
  const secret = concat(...inOrder(half, mlKem, ecdhe));
  wipe(mlKem, ecdhe);
  return secret;
}
