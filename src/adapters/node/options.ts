/**
 * Options with the names of `node:tls`, and what they come to as settings.
 *
 * The surprising thing: what this library does not have is refused by name instead of being passed over, since a security
 * option that does nothing is worse than none.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { fromAscii, toHex } from '../../bytes.js';
import type { CommonOptions } from '../../connection/options.js';
import type { ConnectionLimits } from '../../connection/limits.js';
import type { CryptoBackend } from '../../crypto/backend.js';
import { nodeCrypto } from '../../crypto/node.js';
import { UsageError } from '../../errors.js';
import type { CertificateVerifier, Credentials } from '../../handshake/settings.js';
import { certificatesFromPem, credentials, privateKeyFromPem, type Pem } from '../x509/credentials.js';
import { nodeVerifier, type NodeVerifierOptions } from '../x509/node-verifier.js';
import type { CertificateAuthorities } from '../x509/trust-anchors.js';
import { parseCiphers, parseGroups } from './names.js';

/** Milliseconds that a handshake may take, TCP connection included. Node's own default for servers. */
export const defaultHandshakeTimeout = 120_000;

/** A private key in PEM, with its own passphrase if need be. */
export type PrivateKeyOption = Pem | { readonly pem: Pem; readonly passphrase?: string };

/** Our own chains and keys, as `node:tls` names them. */
export interface IdentityOptions {
  /** Certificate chains in PEM, each leaf first. */
  readonly cert?: Pem | readonly Pem[];
  /** Private keys in PEM, in any order: each chain finds its own. */
  readonly key?: PrivateKeyOption | readonly PrivateKeyOption[];
  /** For encrypted keys. */
  readonly passphrase?: string;
  /** In place of `cert` and `key`, for keys that live elsewhere (HSM, remote signer). */
  readonly credentials?: readonly Credentials[];
}

/** What clients and servers have in common. */
export interface SecureOptions extends IdentityOptions {
  /** Trusted certificates in PEM. Default: the roots that Node.js brings. */
  readonly ca?: CertificateAuthorities;
  /** Whether a peer whose chain is refused is let go. Default true. With false, look at `authorized`. */
  readonly rejectUnauthorized?: boolean;
  /** Judges chains in place of the default verifier, names included. */
  readonly verifyCertificate?: CertificateVerifier;
  /** Cipher suites, most preferred first; names of IANA or OpenSSL, as a list or with colons between. */
  readonly ciphers?: string | readonly string[];
  /** Groups, most preferred first, such as `X25519:P-256`; `auto` is the default. */
  readonly ecdhCurve?: string | readonly string[];
  /** Protocol names (RFC 7301), most preferred first. */
  readonly ALPNProtocols?: readonly string[];
  /** TLS 1.2 is the only version. */
  readonly minVersion?: 'TLSv1.2';
  readonly maxVersion?: 'TLSv1.2';
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
  'secureContext',
  'secureProtocol',
  'secureOptions',
  'pfx',
  'crl',
  'dhparam',
  'sigalgs',
  'clientCertEngine',
  'privateKeyEngine',
  'pskCallback',
  'requestOCSP',
  'ALPNCallback',
] as const;

/** Throws `UsageError` (`invalid_option`) for options of `node:tls` that would silently do nothing. */
function refuseUnsupportedOptions(options: object): void {
  for (const option of unsupported)
    if (Reflect.get(options, option) !== undefined)
      throw new UsageError('invalid_option', `\`${option}\` of node:tls is not supported`);
}

/** The part of the settings that client and server share. */
export function commonOptions(options: SecureOptions): Omit<CommonOptions, 'applicationContext'> {
  refuseUnsupportedOptions(options);
  for (const option of ['minVersion', 'maxVersion'] as const) {
    const version: string | undefined = options[option];
    if (version !== undefined && version !== 'TLSv1.2')
      throw new UsageError('invalid_option', `\`${option}\`: ${version} is not supported, TLSv1.2 is`);
  }
  const groups = options.ecdhCurve === undefined ? undefined : parseGroups(options.ecdhCurve);
  return {
    now: options.now ?? Date.now,
    crypto: options.crypto ?? nodeCrypto,
    ...(options.ciphers !== undefined && { cipherSuites: parseCiphers(options.ciphers) }),
    ...(groups !== undefined && { groups }),
    ...(options.ALPNProtocols !== undefined && { alpnProtocols: options.ALPNProtocols }),
    ...(options.allowMissingExtendedMasterSecret === true && { allowMissingExtendedMasterSecret: true }),
  };
}

/** Chains and keys, most preferred first. Throws `UsageError` where they do not fit each other. */
export function credentialsOf(options: IdentityOptions): readonly Credentials[] {
  if (options.credentials !== undefined) return options.credentials;
  if (options.cert === undefined) {
    if (options.key !== undefined) throw new UsageError('invalid_option', '`key` needs `cert`');
    return [];
  }
  if (options.key === undefined) throw new UsageError('invalid_option', '`cert` needs `key`');
  const keys = listOf(options.key).map((key) => privateKey(key, options.passphrase));
  return listOf(options.cert).map((cert) => credentials(certificatesFromPem(cert), ...keys));
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

function privateKey(key: PrivateKeyOption, passphrase: string | undefined): KeyObject {
  return typeof key === 'object' && 'pem' in key
    ? privateKeyFromPem(key.pem, key.passphrase ?? passphrase)
    : privateKeyFromPem(key, passphrase);
}

/**
 * Which trust a session was made under (P-bind-2, P-bind-5): with other authorities or with verification off it is
 * another configuration, and its sessions do not cross.
 */
export function trustContext(options: SecureOptions, context = ''): Uint8Array {
  const facts = {
    context,
    ca: options.ca === undefined ? null : toHex(authoritiesDigest(options.ca)),
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    verifyCertificate: options.verifyCertificate !== undefined,
  };
  return Buffer.from(JSON.stringify(facts));
}

function authoritiesDigest(ca: CertificateAuthorities): Uint8Array {
  const hash = createHash('sha256');
  for (const pem of listOf(ca)) hash.update(`${String(pem.length)}:`).update(pem);
  return hash.digest();
}

/** One or many. */
function listOf<T>(value: T | readonly T[]): readonly T[] {
  return isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}
