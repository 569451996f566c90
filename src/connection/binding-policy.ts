/**
 * What sessions are bound to, from options: the policy that `sessions/binding` judges by, and the keys under which a client keeps
 * sessions (P-bind-1, P-bind-2, P-bind-5).
 */
import { ascii, empty } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { fingerprintOf } from '../handshake/psk-behind.js';
import type { HandshakeVersion } from '../messages/handshake.js';
import { opaque, struct, vector } from '../presentation/codec.js';
import { bindingOverrideNames } from '../sessions/binding-overrides.js';
import { maximumSessionAge, type BindingPolicy } from '../sessions/binding.js';
import type { commonSettings } from './common-settings.js';
import { byteString, wholeNumber } from './option-values.js';
import type { ClientOptions, CommonOptions, ServerOptions } from './options.js';

type Common = ReturnType<typeof commonSettings>;

/** P-bind-5: identity of the client and trust configuration, without what may change from one connection to the next. */
export function clientBinding(
  options: ClientOptions,
  common: Common,
  signatureSchemes: readonly string[],
): BindingPolicy {
  const { applicationContext = empty, credentials = [] } = options;
  return {
    ...commonBinding(options, common),
    applicationContext: digest(common.crypto, clientContext, {
      applicationContext,
      certificates: credentials.map(({ certificates: [leaf = empty] }) => leaf),
      signatureSchemes: signatureSchemes.map(ascii),
      externalPsks: common.externalPsks.map((psk) => ({
        identity: psk.identity,
        fingerprint: fingerprintOf(common.crypto, psk),
      })),
      ...verificationOf(options),
    }),
    clientAuthenticationPolicy: undefined,
    requireClientCertificate: false,
    resumptionAcrossNames: options.offerSessionsOfOtherNames ?? false,
  };
}

/** Where this client keeps its sessions with this peer, a key for each version. */
export function clientSessionKeys(
  { peerIdentity }: ClientOptions,
  { crypto, transport, alpnProtocols }: Common,
  serverName: string | undefined,
  applicationContext: Uint8Array,
): { readonly sessionKey: Uint8Array; readonly tls13SessionKey: Uint8Array } {
  const keyOf = (version: HandshakeVersion) =>
    digest(crypto, clientSessionKey, {
      version: ascii(version),
      transport: ascii(transport),
      applicationContext,
      peerIdentity: byteString('peerIdentity', peerIdentity ?? serverName ?? ''),
      serverName: ascii(serverName ?? ''),
      alpnProtocols: alpnProtocols.map(ascii),
    });
  return { sessionKey: keyOf('TLSv1.2'), tls13SessionKey: keyOf('TLSv1.3') };
}

/** P-bind-1, P-bind-2: the application's own bytes, and apart from them how clients are authenticated. */
export function serverBinding(options: ServerOptions, common: Common): BindingPolicy {
  const { applicationContext = empty, clientAuthentication = 'none', certificateAuthorities = [] } = options;
  const verification = verificationOf(options);
  return {
    ...commonBinding(options, common),
    applicationContext:
      applicationContext.length === 0 ? empty : digest(common.crypto, serverContext, { applicationContext }),
    clientAuthenticationPolicy:
      clientAuthentication === 'none'
        ? undefined
        : digest(common.crypto, clientAuthenticationPolicy, {
            mode: ascii(clientAuthentication),
            certificateAuthorities,
            ...verification,
          }),
    requireClientCertificate: clientAuthentication === 'require',
    resumptionAcrossNames: options.resumptionAcrossNames ?? false,
  };
}

function commonBinding(options: CommonOptions, { cipherSuites, tls13CipherSuites }: Common) {
  const { maximumSessionAge: age = maximumSessionAge } = options;
  const overrides = { ...options.bindingOverrides };
  for (const [name, value] of Object.entries<unknown>(overrides)) {
    if (!Object.hasOwn(bindingOverrideNames, name))
      throw new UsageError('invalid_option', `\`bindingOverrides.${name}\`: there is no such rule`);
    if (typeof value !== 'boolean' && value !== undefined)
      throw new UsageError('invalid_option', `\`bindingOverrides.${name}\` is neither true nor false`);
  }
  const longest = overrides.allowSessionsOlderThanSevenDays === true ? Infinity : maximumSessionAge;
  return {
    cipherSuites: [...cipherSuites, ...tls13CipherSuites],
    maximumAge: Math.min(wholeNumber('maximumSessionAge', age), longest),
    allowResumptionWithoutExtendedMasterSecret: options.allowResumptionWithoutExtendedMasterSecret ?? false,
    overrides: Object.freeze(overrides),
  };
}

function verificationOf({ verifierIdentity = '', revocationEpoch = 0 }: CommonOptions) {
  return {
    verifierIdentity: byteString('verifierIdentity', verifierIdentity),
    revocationEpoch: ascii(String(wholeNumber('revocationEpoch', revocationEpoch))),
  };
}

const certificateList = vector(opaque(0, 2 ** 24 - 1), 0, 2 ** 24 - 1);
/** Whose word a chain is accepted on, and which state of it. */
const verificationFields = { verifierIdentity: opaque(0, 2 ** 16 - 1), revocationEpoch: opaque(0, 255) };
const clientContext = struct({
  applicationContext: opaque(0, 2 ** 24 - 1),
  certificates: certificateList,
  /** A session stands on a signature that a stricter list may exclude, and brings none. */
  signatureSchemes: vector(opaque(0, 255), 0, 2 ** 16 - 1),
  externalPsks: vector(struct({ identity: opaque(1, 2 ** 16 - 1), fingerprint: opaque(1, 255) }), 0, 2 ** 24 - 1),
  ...verificationFields,
});
const clientSessionKey = struct({
  version: opaque(0, 255),
  transport: opaque(0, 255),
  applicationContext: opaque(0, 255),
  peerIdentity: opaque(0, 2 ** 16 - 1),
  serverName: opaque(0, 255),
  alpnProtocols: vector(opaque(0, 255), 0, 2 ** 16 - 1),
});
const serverContext = struct({ applicationContext: opaque(0, 2 ** 24 - 1) });
const clientAuthenticationPolicy = struct({
  mode: opaque(1, 255),
  certificateAuthorities: certificateList,
  ...verificationFields,
});

/** SHA-256 over an unambiguous encoding: no two configurations share one. */
function digest<T>(crypto: CryptoBackend, codec: { encode(value: T): Uint8Array }, value: T): Uint8Array {
  return crypto.hash('sha256', codec.encode(value));
}
