/**
 * Options with the names of `node:tls`, and what they come to as settings.
 *
 * The surprising thing: what this library does not have is refused by name instead of being passed over, since a security
 * option that does nothing is worse than none.
 */
import { createHash } from 'node:crypto';
import { fromAscii, toHex } from '../../bytes.js';
import type { ConnectionLimits } from '../../connection/limits.js';
import type { CommonOptions, ExternalPskOptions } from '../../connection/options.js';
import type { CryptoBackend } from '../../crypto/backend.js';
import { nodeCrypto } from '../../crypto/node.js';
import { UsageError } from '../../errors.js';
import type { CertificateVerifier } from '../../handshake/settings.js';
import type { HandshakeVersion } from '../../messages/handshake.js';
import { nodeVerifier, type NodeVerifierOptions } from '../x509/node-verifier.js';
import type { CertificateAuthorities } from '../x509/trust-anchors.js';
import type { IdentityOptions, SecureContext } from './identity.js';
import { listOf } from './lists.js';
import { parseCiphers, parseGroups } from './names.js';

/** Milliseconds that a handshake may take, TCP connection included. Node's own default for servers. */
export const defaultHandshakeTimeout = 120_000;

/** Options that `node:tls` has no names for. */
type OwnOptions = Pick<
  CommonOptions,
  | 'allowShortTls12Psks'
  | 'bindingOverrides'
  | 'certificateCompression'
  | 'externalPsks'
  | 'grease'
  | 'pskKeyExchangeModes'
  | 'recordPaddingBlock'
  | 'recordSizeLimit'
  | 'revocationEpoch'
  | 'signatureSchemes'
  | 'verifierIdentity'
>;

/** What clients and servers have in common. */
export interface SecureOptions extends IdentityOptions, OwnOptions {
  /** Chains and keys that `createSecureContext` has read, in place of `cert`, `key` and `credentials`. */
  readonly secureContext?: SecureContext;
  /** Trusted certificates in PEM. Default: the roots that Node.js brings. */
  readonly ca?: CertificateAuthorities;
  /** Whether a peer whose chain is refused is let go. Default true. With false, look at `authorized`. */
  readonly rejectUnauthorized?: boolean;
  /** Judges chains in place of the default verifier, names included. */
  readonly verifyCertificate?: CertificateVerifier;
  /**
   * Cipher suites of both versions, most preferred first; names of IANA or OpenSSL, as a list or with colons between. A version
   * of which none is there is not spoken. Those of TLS 1.2 with PSKs need a `pskCallback`, and are spoken only if named here.
   */
  readonly ciphers?: string | readonly string[];
  /** Groups, most preferred first, such as `X25519MLKEM768:X25519:P-521`; `auto` is the default, and has no P-521. */
  readonly ecdhCurve?: string | readonly string[];
  /** Protocol names (RFC 7301), most preferred first. */
  readonly ALPNProtocols?: readonly string[];
  /** Default TLSv1.2. */
  readonly minVersion?: HandshakeVersion;
  /** Default TLSv1.3. */
  readonly maxVersion?: HandshakeVersion;
  /**
   * TLS 1.3: after the peer has said the end we may go on writing until `end()` (RFC 8446 6.1). Default false: the socket ends when all
   * is read and written. In TLS 1.2 the peer's end is ours at once.
   */
  readonly allowHalfOpen?: boolean;
  /** Milliseconds; see {@link defaultHandshakeTimeout}. */
  readonly handshakeTimeout?: number;
  /** Default {@link nodeCrypto}. */
  readonly crypto?: CryptoBackend;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  readonly limits?: Partial<ConnectionLimits>;
  /** Whether tickets are asked for (client) or given out (server). Default true. */
  readonly tickets?: boolean;
  /** Talks to peers without RFC 7627: open to the triple handshake attack. */
  readonly allowMissingExtendedMasterSecret?: boolean;
}

/** Options of `node:tls` that are security decisions and that this library does not have. */
const unsupported = [
  'secureProtocol',
  'secureOptions',
  'pfx',
  'crl',
  'dhparam',
  'sigalgs',
  'clientCertEngine',
  'privateKeyEngine',
  'ALPNCallback',
] as const;

/** Throws `UsageError` (`invalid_option`) for options of `node:tls` that would silently do nothing. */
export function refuseOptions(options: object, names: readonly string[]): void {
  for (const option of names)
    if (Reflect.get(options, option) !== undefined)
      throw new UsageError('invalid_option', `\`${option}\` of node:tls is not supported`);
}

/** Servers have no other's name to check. */
type VerifiedOptions = SecureOptions & Pick<NodeVerifierOptions, 'checkServerIdentity'>;

/** The part of the settings that client and server share. */
export function commonOptions(
  options: VerifiedOptions,
  morePsks: readonly ExternalPskOptions[] = [],
): Omit<CommonOptions, 'applicationContext'> {
  refuseOptions(options, unsupported);
  for (const option of ['minVersion', 'maxVersion'] as const) {
    const version: string | undefined = options[option];
    if (version !== undefined && version !== 'TLSv1.2' && version !== 'TLSv1.3')
      throw new UsageError('invalid_option', `\`${option}\`: ${version} is not supported, TLSv1.2 and TLSv1.3 are`);
  }
  const groups = options.ecdhCurve === undefined ? undefined : parseGroups(options.ecdhCurve);
  const { externalPsks = [] } = options;
  return {
    ...given(options, [
      'minVersion',
      'maxVersion',
      'allowShortTls12Psks',
      'bindingOverrides',
      'certificateCompression',
      'grease',
      'pskKeyExchangeModes',
      'recordPaddingBlock',
      'recordSizeLimit',
      'revocationEpoch',
      'signatureSchemes',
    ]),
    verifierIdentity: verifierIdentityOf(options),
    now: options.now ?? Date.now,
    crypto: options.crypto ?? nodeCrypto,
    externalPsks: [...externalPsks, ...morePsks],
    ...(options.ciphers !== undefined && { cipherSuites: parseCiphers(options.ciphers) }),
    ...(groups !== undefined && { groups }),
    ...(options.ALPNProtocols !== undefined && { alpnProtocols: options.ALPNProtocols }),
    ...(options.allowMissingExtendedMasterSecret === true && { allowMissingExtendedMasterSecret: true }),
  };
}

/** The options of these names that are there: one that is `undefined`, as from JavaScript, counts as left out. */
export function given<T extends object, K extends keyof T>(options: T, names: readonly K[]): Pick<T, K> | object {
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

/** The verifier that is asked for, or the default one; connections with the same authorities share it and what it remembers. */
export function verifierOf(
  { verifyCertificate, ca, now }: SecureOptions,
  checkServerIdentity?: NodeVerifierOptions['checkServerIdentity'],
): CertificateVerifier {
  if (verifyCertificate !== undefined) return verifyCertificate;
  if (now !== undefined || checkServerIdentity !== undefined)
    return nodeVerifier({
      ...(ca !== undefined && { ca }),
      ...(now !== undefined && { now }),
      ...(checkServerIdentity !== undefined && { checkServerIdentity }),
    });
  const key = ca === undefined ? '' : fromAscii(authoritiesDigest(ca));
  const verifier = verifiers.get(key) ?? nodeVerifier(ca === undefined ? {} : { ca });
  verifiers.delete(key);
  verifiers.set(key, verifier);
  const [oldest = ''] = verifiers.keys();
  if (verifiers.size > maxVerifiers) verifiers.delete(oldest);
  return verifier;
}

/** Sets of authorities whose verifiers are kept. */
const maxVerifiers = 16;
/** By digest of the authorities, least recently used first. */
const verifiers = new Map<string, CertificateVerifier>();

/** P-bind-2, P-bind-5: with other authorities or with verification off the verifier is another one, and its sessions do not cross. */
function verifierIdentityOf({
  ca,
  rejectUnauthorized,
  verifyCertificate,
  verifierIdentity,
  checkServerIdentity,
}: VerifiedOptions): string {
  return JSON.stringify({
    ca: ca === undefined ? null : toHex(authoritiesDigest(ca)),
    rejectUnauthorized: rejectUnauthorized ?? true,
    verifyCertificate: verifyCertificate !== undefined,
    checkServerIdentity: checkServerIdentity !== undefined,
    verifierIdentity: verifierIdentity ?? '',
  });
}

function authoritiesDigest(ca: CertificateAuthorities): Uint8Array {
  const hash = createHash('sha256');
  for (const pem of listOf(ca)) hash.update(`${String(pem.length)}:`).update(pem);
  return hash.digest();
}
