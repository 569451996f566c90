/**
 * The importer of external PSKs (RFC 9258 5): from one key that two parties share, a PSK for each KDF of TLS 1.3.
 *
 * The one surprising thing: two hashes are at work. What is derived is derived with the hash that goes with the external
 * key; what comes out is as long as the hash of the suites that it will be used with.
 */
import { ascii, empty, wipe } from '../bytes.js';
import { concealed } from '../concealed.js';
import { hashLength, type CryptoBackend, type HashAlgorithm } from '../crypto/backend.js';
import { hkdfExtract } from '../crypto/hkdf.js';
import { UsageError } from '../errors.js';
import { protocolVersions, tlsKdfIdentifiers } from '../parameters.js';
import { enumeration, opaque, struct } from '../presentation/codec.js';
import { hkdfExpandLabel } from './hkdf-label.js';

/** RFC 9258 5.1: what stands in the ClientHello as the identity of an imported PSK. */
export const importedIdentity = struct({
  externalIdentity: opaque(1, 2 ** 16 - 1),
  context: opaque(0, 2 ** 16 - 1),
  targetProtocol: enumeration(2, protocolVersions),
  targetKdf: enumeration(2, tlsKdfIdentifiers),
});

/** A key that two parties have from elsewhere. It is for importing alone (RFC 9258 4). */
export interface ImportablePsk {
  /** 1 byte or more. */
  readonly externalIdentity: Uint8Array;
  /** 16 bytes or more, and unguessable: a password is none (RFC 9257 6). */
  readonly key: Uint8Array;
  /**
   * What the key was derived for or from. Naming both parties and their roles in it keeps a message from being reflected
   * to its sender (RFC 9258 5.1, "Selfie" attack).
   */
  readonly context: Uint8Array;
  /** The one hash that the key is used with. Defaults to `'sha256'`. */
  readonly hash?: HashAlgorithm;
}

/** A PSK of TLS 1.3, whose binder key has the label "imp binder" (RFC 9258 5.2). */
export interface ImportedPsk {
  readonly kind: 'imported';
  /** The encoded ImportedIdentity. */
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
  readonly hash: HashAlgorithm;
}

/** RFC 9257 6. */
export const shortestExternalKey = 16;
/** PskIdentity of RFC 8446 4.2.11. */
const longestIdentity = 2 ** 16 - 1;

const derivedPsk = ascii('derived psk');
const kdfs = { sha256: 'HKDF_SHA256', sha384: 'HKDF_SHA384' } as const;

/**
 * RFC 9258 5.1: a PSK of TLS 1.3 for each hash among `targets`, in that order; offer one for each hash of the suites
 * offered. Throws `UsageError` for a key below 16 bytes, and for identity and context that make up more than an identity
 * can hold (65535 bytes).
 */
export function importPsk(
  crypto: CryptoBackend,
  psk: ImportablePsk,
  targets: readonly HashAlgorithm[],
): readonly ImportedPsk[] {
  const { externalIdentity, key, context, hash = 'sha256' } = psk;
  if (key.length < shortestExternalKey) {
    throw new UsageError(
      'invalid_key',
      `external PSK: got a key of ${key.length} bytes, expected at least ${shortestExternalKey}`,
    );
  }
  const extracted = hkdfExtract(crypto, hash, empty, key);
  const expander = crypto.hmac(hash, extracted);
  wipe(extracted);
  try {
    return targets.map((target) => {
      const targetKdf = kdfs[target];
      const identity = importedIdentity.encode({ externalIdentity, context, targetProtocol: 'TLSv1.3', targetKdf });
      if (identity.length > longestIdentity) {
        throw new UsageError(
          'value_not_encodable',
          `imported PSK: got an identity of ${identity.length} bytes, expected at most ${longestIdentity}`,
        );
      }
      const imported = hkdfExpandLabel(expander, derivedPsk, crypto.hash(hash, identity), hashLength[target]);
      return { kind: 'imported', identity, key: concealed(imported), hash: target };
    });
  } finally {
    expander.destroy();
  }
}
