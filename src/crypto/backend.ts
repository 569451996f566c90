/**
 * `CryptoBackend`: everything this package asks of cryptography, as a plain object that is passed in. There is no global
 * default and no detection. No TLS words live here, and no primitive is implemented here: backends call libraries.
 *
 * Symmetric operations are synchronous; key agreement and signatures may answer with a promise (WebCrypto, HSM, remote
 * signer). What is keyed (`HmacKey`, `AeadKey`, `CbcKey`) is an object, so that a backend sets a key up once.
 */

/** A value, or a promise of it where the backend has to wait. */
export type MaybePromise<T> = T | Promise<T>;

export type HashAlgorithm = 'sha256' | 'sha384';
export type AeadAlgorithm = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
/** Groups by their IANA names. */
export type KeyExchangeGroup = EcdheGroup | MlKemGroup;
/** The groups of elliptic curves alone, which TLS 1.2 has as well. */
export type EcdheGroup = 'x25519' | 'secp256r1' | 'secp384r1' | 'secp521r1';
/** The groups with ML-KEM, with an elliptic curve beside it or alone; of TLS 1.3. */
export type MlKemGroup =
  'X25519MLKEM768' | 'SecP256r1MLKEM768' | 'SecP384r1MLKEM1024' | 'MLKEM512' | 'MLKEM768' | 'MLKEM1024';
export type EcdsaCurve = 'secp256r1' | 'secp384r1' | 'secp521r1';
/** FIPS 204 4, table 1. */
export type MlDsaParameterSet = 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87';

/** Signature algorithms with all their parameters; `rsa_pss` has MGF1 with the same hash and a salt as long as the hash. */
export type SignatureAlgorithm =
  | { readonly kind: 'ecdsa'; readonly hash: SignatureHash }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'rsa_pss'; readonly hash: Exclude<SignatureHash, 'sha1'> }
  | { readonly kind: 'rsa_pkcs1'; readonly hash: SignatureHash }
  /** FIPS 204 5.2: ML-DSA without a hash before it, and an empty context string. */
  | { readonly kind: 'mldsa'; readonly parameterSet: MlDsaParameterSet };
/** `sha1` is for peers of TLS 1.2 that have nothing else. */
export type SignatureHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/**
 * A public key in raw parts. `restriction` is set on keys whose certificate says id-RSASSA-PSS (RFC 8446 4.2.3: rsa_pss_pss_*).
 */
export type PublicKey =
  | {
      readonly kind: 'ecdsa';
      readonly curve: EcdsaCurve;
      /** Uncompressed point, 04 X Y. */ readonly point: Uint8Array;
    }
  | { readonly kind: 'ed25519'; /** 32 bytes. */ readonly key: Uint8Array }
  | { readonly kind: 'mldsa'; readonly parameterSet: MlDsaParameterSet; readonly key: Uint8Array }
  | {
      readonly kind: 'rsa';
      /** Big-endian, without leading zeros. */
      readonly modulus: Uint8Array;
      readonly exponent: Uint8Array;
      readonly restriction?: 'pss';
    };

/** A private key in raw parts, for backends that hold keys in memory. */
export type PrivateKey =
  | {
      readonly kind: 'ecdsa';
      readonly curve: EcdsaCurve;
      /** Big-endian scalar as long as the field. */ readonly scalar: Uint8Array;
      readonly point: Uint8Array;
    }
  | { readonly kind: 'ed25519'; /** The 32-byte seed. */ readonly seed: Uint8Array; readonly key: Uint8Array }
  | {
      readonly kind: 'mldsa';
      readonly parameterSet: MlDsaParameterSet;
      /** The 32-byte seed (FIPS 204 6.1), or the expanded key where nobody kept the seed. */
      readonly secretKey: Uint8Array;
      readonly key: Uint8Array;
    }
  | {
      readonly kind: 'rsa';
      readonly modulus: Uint8Array;
      readonly exponent: Uint8Array;
      readonly privateExponent: Uint8Array;
      readonly prime1: Uint8Array;
      readonly prime2: Uint8Array;
      readonly exponent1: Uint8Array;
      readonly exponent2: Uint8Array;
      readonly coefficient: Uint8Array;
      readonly restriction?: 'pss';
    };

/**
 * Signs with a key that it holds; an HSM or a remote signer implements this itself. `publicKey` says what the key is, so
 * that the handshake can choose a signature scheme.
 */
export interface Signer {
  readonly publicKey: PublicKey;
  /** ECDSA signatures are DER (RFC 3279 2.2.3). A rejection ends the handshake with internal_error. */
  sign(algorithm: SignatureAlgorithm, data: Uint8Array): MaybePromise<Uint8Array>;
}

/** A hash that goes on: a handshake transcript asks for its value several times. */
export interface RunningHash {
  /** `data` must not change before the last value is taken: a backend may keep it as it is. */
  update(data: Uint8Array): void;
  /** The hash of all data so far, in a new array; more data may follow. */
  snapshot(): Uint8Array;
}

/** HMAC (RFC 2104) under one key, whose padded blocks are hashed once. */
export interface HmacKey {
  readonly outputLength: number;
  /** MAC over the concatenation of `parts`, in a new array. */
  compute(...parts: readonly Uint8Array[]): Uint8Array;
  /** Forgets the key as far as the backend can; the object must not be used afterwards. */
  destroy(): void;
}

/** An AEAD under one key. Nonces are 12 bytes, tags 16. */
export interface AeadKey {
  /** Writes ciphertext and tag to the start of `output`, `plaintext.length + 16` bytes. `output` must not overlap `plaintext`. */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void;
  /** The plaintext in an array of its own, or `undefined` if the tag is wrong. `sealed` ends with the tag. */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** Forgets the key as far as the backend can; the object must not be used afterwards. */
  destroy(): void;
}

/** AES-CBC (SP 800-38A) without padding: whole blocks in, whole blocks out. */
export interface CbcKey {
  /** `blocks` is a positive multiple of 16 bytes; the result is as long, in a new array. */
  encrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array;
  decrypt(iv: Uint8Array, blocks: Uint8Array): Uint8Array;
  /** Forgets the key as far as the backend can; the object must not be used afterwards. */
  destroy(): void;
}

/** One end of a key agreement, for one handshake. */
export interface KeyShare {
  /**
   * What goes to the peer: 32 bytes for x25519, an uncompressed point for the NIST curves, an encapsulation key for ML-KEM.
   * X25519MLKEM768 has ML-KEM first, and the hybrids of the NIST curves have it last (draft-ietf-tls-ecdhe-mlkem 4.1).
   */
  readonly publicKey: Uint8Array;
  /**
   * The shared secret: X25519 output, the X coordinate of the shared point as long as the field, the secret of ML-KEM; of a hybrid
   * both, in the order of the shares. Answers `undefined` for a public key that is malformed, not on the curve or of small order
   * (all-zero X25519 output, RFC 7748 6.1), and for an encapsulation key or ciphertext of ML-KEM that fails the checks of
   * FIPS 203 7.2 and 7.3.
   */
  agree(peerPublicKey: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /** Forgets the secret, where the backend can; the share must not be used afterwards. */
  destroy?(): void;
}

/** The answer to a key share, from the side that speaks second: a KEM has no key share before that. */
export interface KeyShareAnswer {
  /** What goes to the peer, as {@link KeyShare.publicKey}: for ML-KEM a ciphertext. */
  readonly publicKey: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** What a backend can do. A suite or scheme that it lacks is refused when a configuration is made, not in mid-handshake. */
export interface CryptoCapabilities {
  readonly aeads: readonly AeadAlgorithm[];
  readonly groups: readonly KeyExchangeGroup[];
  /** Signature kinds that `verify` and `signer` take, each with all its hashes, curves or parameter sets. */
  readonly signatures: readonly SignatureAlgorithm['kind'][];
}

export interface CryptoBackend {
  /** For errors and events: `noble`, `node`. */
  readonly name: string;
  readonly capabilities: CryptoCapabilities;
  /** Fresh cryptographically random bytes in an array of their own. */
  randomBytes(length: number): Uint8Array;
  /** One-shot hash, in a new array. */
  hash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array;
  runningHash(algorithm: HashAlgorithm): RunningHash;
  hmac(algorithm: HashAlgorithm, key: Uint8Array): HmacKey;
  /** `key` is 16 or 32 bytes as the algorithm says; throws `UsageError` otherwise or if the backend lacks the algorithm. */
  aead(algorithm: AeadAlgorithm, key: Uint8Array): AeadKey;
  /** `key` is 16 or 32 bytes. */
  cbc(key: Uint8Array): CbcKey;
  /** A fresh key pair. */
  generateKeyShare(group: KeyExchangeGroup): MaybePromise<KeyShare>;
  /** Answers the peer's share with fresh randomness; `undefined` for a useless one, as {@link KeyShare.agree} says. */
  answerKeyShare(group: KeyExchangeGroup, peerPublicKey: Uint8Array): MaybePromise<KeyShareAnswer | undefined>;
  /** A signer that holds the key in memory. Throws `UsageError` for a key that it cannot use. */
  signer(key: PrivateKey): Signer;
  /**
   * Whether the signature is right. Malformed keys and signatures are `false`, never an exception. ECDSA signatures are
   * strict DER. Throws `UsageError` only for a kind of key that is not among `capabilities.signatures`: ask those first.
   */
  verify(algorithm: SignatureAlgorithm, key: PublicKey, data: Uint8Array, signature: Uint8Array): MaybePromise<boolean>;
}

export const hashLength = { sha256: 32, sha384: 48 } as const satisfies Record<HashAlgorithm, number>;
export const aeadKeyLength = {
  'aes-128-gcm': 16,
  'aes-256-gcm': 32,
  'chacha20-poly1305': 32,
} as const satisfies Record<AeadAlgorithm, number>;
export const aeadTagLength = 16;
export const aeadNonceLength = 12;
