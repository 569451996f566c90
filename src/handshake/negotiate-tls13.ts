/**
 * What a server reads from a ClientHello of TLS 1.3 and picks from it (RFC 8446 4.1.1, 4.2, 9.2).
 */
import { equal } from '../bytes.js';
import type { KeyExchangeGroup } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import type { Tls13CipherSuite } from '../key-schedule/suites.js';
import {
  clientHello,
  findExtension,
  type ClientHello,
  type KeyShareEntry,
  type OfferedPsks,
} from '../messages/index.js';
import type { ReceivedTls13 } from './needs.js';
import { helloInfo } from './negotiate.js';
import type { ResumptionRefusal } from './resumption.js';
import type { ClientHelloInfo, Credentials, PskKeyExchangeModeName, ServerSettings } from './settings.js';
import { chooseScheme, type SignatureSchemeName } from './signature-schemes.js';

/** A ClientHello that follows the rules of TLS 1.3. */
export interface Tls13Hello {
  readonly body: ClientHello;
  readonly bytes: Uint8Array;
  readonly info: ClientHelloInfo;
  readonly offeredPsks: OfferedPsks | undefined;
  /** Without those that nobody knows. */
  readonly pskModes: readonly PskKeyExchangeModeName[];
  readonly keyShares: readonly KeyShareEntry[];
  readonly offersEarlyData: boolean;
  readonly quicTransportParameters: Uint8Array | undefined;
}

/** RFC 8446 4.1.2, 4.2 and 9.2: the checks that depend on nothing else. */
export function readTls13Hello({ body, bytes }: ReceivedTls13<'client_hello'>): Tls13Hello {
  const { extensions = [], legacyCompressionMethods } = body;
  if (legacyCompressionMethods.length !== 1 || legacyCompressionMethods[0] !== 0)
    throw new AlertError('illegal_parameter', 'got compression methods, expected the null method alone');
  const offeredPsks = findExtension(extensions, 'pre_shared_key');
  const modes = findExtension(extensions, 'psk_key_exchange_modes');
  const groups = findExtension(extensions, 'supported_groups');
  const keyShares = findExtension(extensions, 'key_share');
  if (offeredPsks !== undefined) checkOfferedPsks(offeredPsks, extensions, modes !== undefined);
  else if (findExtension(extensions, 'signature_algorithms') === undefined || groups === undefined)
    throw new AlertError(
      'missing_extension',
      'got neither pre_shared_key nor signature_algorithms and supported_groups',
    );
  if ((groups === undefined) !== (keyShares === undefined))
    throw new AlertError('missing_extension', 'got one of supported_groups and key_share without the other');
  checkKeyShares(keyShares ?? [], groups ?? []);
  return {
    body,
    bytes,
    info: helloInfo(body),
    offeredPsks,
    pskModes: (modes ?? []).filter((mode) => mode === 'psk_dhe_ke' || mode === 'psk_ke'),
    keyShares: keyShares ?? [],
    offersEarlyData: findExtension(extensions, 'early_data') !== undefined,
    quicTransportParameters: findExtension(extensions, 'quic_transport_parameters'),
  };
}

/** RFC 8446 4.2.9 and 4.2.11. */
function checkOfferedPsks(
  { identities, binders }: OfferedPsks,
  extensions: NonNullable<ClientHello['extensions']>,
  hasModes: boolean,
): void {
  if (extensions.at(-1)?.type !== 'pre_shared_key')
    throw new AlertError('illegal_parameter', 'got a pre_shared_key that is not the last extension');
  if (!hasModes) throw new AlertError('missing_extension', 'got pre_shared_key without psk_key_exchange_modes');
  if (identities.length !== binders.length)
    throw new AlertError('illegal_parameter', `got ${identities.length} identities and ${binders.length} binders`);
}

/** RFC 8446 4.2.8: one share of a group at most, and of offered groups alone. */
function checkKeyShares(shares: readonly KeyShareEntry[], groups: readonly (string | number)[]): void {
  // A set that shrinks: both lists may be thousands long.
  const unshared = new Set(groups);
  for (const { group } of shares)
    if (!unshared.delete(group))
      throw new AlertError('illegal_parameter', `got a key share of ${String(group)} twice, or of no group on offer`);
}

/** By our preference. */
export function commonSuites(settings: ServerSettings, { cipherSuites }: ClientHello): readonly Tls13CipherSuite[] {
  return settings.tls13CipherSuites.filter((suite) => cipherSuites.includes(suite));
}

/** RFC 8446 4.2.9: by our preference. */
export function commonPskModes(settings: ServerSettings, { pskModes }: Tls13Hello): readonly PskKeyExchangeModeName[] {
  return settings.pskKeyExchangeModes.filter((mode) => pskModes.includes(mode));
}

/**
 * The first of our groups that the client sent a share for, or else the first that it knows: that one has to be asked for. With
 * `retryForPreferredGroup` shares do not matter.
 */
export function chooseGroup(
  settings: ServerSettings,
  { body, keyShares }: Tls13Hello,
): { readonly group: KeyExchangeGroup; readonly share: Uint8Array | undefined } | undefined {
  const shareOf = (group: KeyExchangeGroup) => keyShares.find((entry) => entry.group === group)?.keyExchange;
  const offered = findExtension(body.extensions, 'supported_groups') ?? [];
  const common = settings.groups.filter((group) => offered.includes(group));
  const shared = settings.retryForPreferredGroup ? undefined : common.find((group) => shareOf(group) !== undefined);
  const group = shared ?? common[0];
  return group === undefined ? undefined : { group, share: shareOf(group) };
}

/** The first of our credentials whose key can make a signature that the client takes (RFC 8446 4.4.2.2, 4.4.3). */
export function chooseCredentials(
  settings: ServerSettings,
  { extensions }: ClientHello,
  reason: ResumptionRefusal | undefined,
): {
  readonly credentials: Credentials;
  readonly scheme: SignatureSchemeName;
  readonly compression: readonly (string | number)[];
} {
  // RFC 8446 E.6: without certificates nobody learns whether it was the identity or the binder.
  if (settings.credentials.length === 0)
    throw reason === 'psk_mode_mismatch' || settings.revealUnknownPskIdentities
      ? new AlertError('handshake_failure', 'got no PSK that can be used, and there is no certificate')
      : new AlertError('decrypt_error', 'got no PSK that we have, and there is no certificate');
  const schemes = findExtension(extensions, 'signature_algorithms');
  if (schemes === undefined) throw new AlertError('missing_extension', 'got no signature_algorithms');
  const compression = findExtension(extensions, 'compress_certificate') ?? [];
  for (const credentials of settings.credentials) {
    const scheme = chooseScheme(credentials, schemes, { version: 'TLSv1.3', signer: 'server' });
    if (scheme !== undefined) return { credentials, scheme, compression };
  }
  throw new AlertError('handshake_failure', 'no certificate and signature scheme in common');
}

/** What a second ClientHello may change (RFC 8446 4.1.2). */
const changeable: ReadonlySet<string | number> = new Set([
  'key_share',
  'early_data',
  'cookie',
  'pre_shared_key',
  'padding',
]);

/** RFC 8446 4.1.2 and 4.1.4: the same ClientHello again, but for what was asked. */
export function checkSecondHello(
  first: Tls13Hello,
  second: Tls13Hello,
  group: KeyExchangeGroup | undefined,
  cookie: Uint8Array | undefined,
): void {
  // Key shares change where others were asked for, and not with a cookie alone.
  const fixed = ({ body }: Tls13Hello) => fixedPart(body, group === undefined);
  if (!equal(fixed(first), fixed(second)))
    throw new AlertError('illegal_parameter', 'got a second ClientHello that differs from the first');
  const echoed = findExtension(second.body.extensions, 'cookie');
  if (cookie === undefined ? echoed !== undefined : echoed === undefined || !equal(echoed, cookie))
    throw new AlertError('illegal_parameter', 'got another cookie than was sent');
  if (group !== undefined && (second.keyShares.length !== 1 || second.keyShares[0]?.group !== group))
    throw new AlertError('illegal_parameter', `got other key shares than one of ${group}`);
}

function fixedPart(hello: ClientHello, withKeyShares: boolean): Uint8Array {
  const isFixed = (type: string | number) => !changeable.has(type) || (withKeyShares && type === 'key_share');
  const extensions = hello.extensions?.filter(({ type }) => isFixed(type)) ?? [];
  return clientHello.encode({ ...hello, extensions });
}
