/**
 * Our own chains and keys, as `node:tls` names them, and `createSecureContext`.
 *
 * The surprising thing: a context here is chains and keys and nothing else. What else a side is configured with holds for all
 * its names, so that no session made under one policy meets another (CVE-2025-23419).
 */
import type { CryptoBackend } from '../../crypto/backend.js';
import { UsageError } from '../../errors.js';
import type { Credentials } from '../../handshake/settings.js';
import { certificatesFromPem, credentials, privateKeyFromPem, type Pem } from '../x509/credentials.js';
import { listOf } from './lists.js';

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

/** Chains and keys that were read before. */
export interface SecureContext {
  readonly credentials: readonly Credentials[];
}

/**
 * Reads chains and keys once, for any number of connections and servers (`secureContext`) and for `addContext` and
 * `SNICallback`. Throws `UsageError` where they do not fit each other, and for options that belong to the connection or server.
 */
export function createSecureContext(options: IdentityOptions): SecureContext {
  for (const [option, value] of Object.entries(options))
    if (value !== undefined && !identityOptions.includes(option))
      throw new UsageError(
        'invalid_option',
        `\`${option}\` is no option of a secure context: it holds chains and keys`,
      );
  return Object.freeze({ credentials: credentialsOf(options) });
}

const identityOptions: readonly string[] = [
  'cert',
  'key',
  'passphrase',
  'credentials',
] satisfies (keyof IdentityOptions)[];

/** Chains and keys, most preferred first. Throws `UsageError` where they do not fit each other. */
export function credentialsOf(
  options: IdentityOptions & { readonly secureContext?: SecureContext; readonly crypto?: CryptoBackend },
): readonly Credentials[] {
  const { secureContext, cert, key } = options;
  if (secureContext !== undefined) return contextCredentials(secureContext);
  if (options.credentials !== undefined) return options.credentials;
  if (cert === undefined) {
    if (key !== undefined) throw new UsageError('invalid_option', '`key` needs `cert`');
    return [];
  }
  if (key === undefined) throw new UsageError('invalid_option', '`cert` needs `key`');
  const keys = listOf(key).map((each) => privateKey(each, options.passphrase));
  return listOf(cert).map((each) => credentials(certificatesFromPem(each), keys, options.crypto));
}

/** One of `node:tls` holds its keys where nobody else can reach them. */
function contextCredentials({ credentials: own }: Partial<SecureContext>): readonly Credentials[] {
  if (own === undefined)
    throw new UsageError('invalid_option', '`secureContext` is what `createSecureContext` of this library gives');
  return own;
}

function privateKey(key: PrivateKeyOption, passphrase: string | undefined) {
  return typeof key === 'object' && 'pem' in key
    ? privateKeyFromPem(key.pem, key.passphrase ?? passphrase)
    : privateKeyFromPem(key, passphrase);
}
