/**
 * What the settings of client and server have in common: versions, suites, groups, PSKs, each as far as the backend goes.
 */
import { copy, empty } from '../bytes.js';
import { concealed } from '../concealed.js';
import type { AeadAlgorithm, CryptoBackend, EcdheGroup, KeyExchangeGroup } from '../crypto/backend.js';
import { nobleCrypto } from '../crypto/noble.js';
import { isMlKemGroup } from '../crypto/refusals.js';
import { defaultFreshnessWindow } from '../early-data/freshness.js';
import { UsageError } from '../errors.js';
import { resumptionCounters } from '../handshake/resumption.js';
import type { EarlyDataPolicy, ExternalPsk } from '../handshake/settings.js';
import {
  allSignatureSchemes,
  schemeIsOf,
  schemesToOffer,
  signatureAlgorithms,
  usualSignatureSchemes,
  type SignatureSchemeName,
} from '../handshake/signature-schemes.js';
import type { Credentials } from '../handshake/settings.js';
import { importPsk, shortestExternalKey } from '../key-schedule/psk-importer.js';
import {
  isPskSuite,
  isTls12CipherSuite,
  isTls13CipherSuite,
  tls12Suites,
  tls13Suites,
  type SupportedCipherSuite,
  type Tls13CipherSuite,
} from '../key-schedule/suites.js';
import type { HandshakeVersion } from '../messages/handshake.js';
import { byteString, inRange } from './option-values.js';
import type { CommonOptions, EarlyDataOptions, ExternalPskOptions, ServerOptions } from './options.js';

const allSuites = [
  ...Object.keys(tls13Suites).filter(isTls13CipherSuite),
  ...Object.keys(tls12Suites).filter(isTls12CipherSuite),
];
const usualGroups = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'] as const;
const allGroups: readonly KeyExchangeGroup[] = [
  ...usualGroups,
  'secp521r1',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
  'MLKEM512',
  'MLKEM768',
  'MLKEM1024',
];
const allModes = ['psk_dhe_ke', 'psk_ke'] as const;

/** `hasTls12Psks`: whether the suites of TLS 1.2 with PSKs may be spoken. */
export function commonSettings(options: CommonOptions, hasTls12Psks: boolean) {
  const { crypto = nobleCrypto, alpnProtocols = [] } = options;
  const { aeads, groups, signatures } = crypto.capabilities;
  const suites = chosen('cipherSuites', options.cipherSuites, allSuites, (suite) => aeads.includes(aeadOf(suite)));
  const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', transport = 'tcp' } = options;
  if (transport === 'tcp' && options.quicTransportParameters !== undefined)
    throw new UsageError('invalid_option', "`quicTransportParameters` need `transport: 'quic'`");
  const cipherSuites = suites.filter(isTls12CipherSuite).filter((suite) => hasTls12Psks || !isPskSuite(suite));
  // noble's AES has no instructions of the processor: the backend says what it is fast at.
  const tls13CipherSuites = byPreference(
    suites.filter(isTls13CipherSuite),
    options.cipherSuites === undefined ? aeads : [],
  );
  const versions = versionsWithSuites(
    transport === 'quic' ? 'TLSv1.3' : minVersion,
    maxVersion,
    cipherSuites,
    tls13CipherSuites,
  );
  if (versions.length === 0)
    throw new UsageError('invalid_option', '`minVersion`, `maxVersion` and `cipherSuites` leave no version');
  const allowed = chosen('groups', options.groups, allGroups, (group) => groups.includes(group), usualGroups);
  for (const protocol of alpnProtocols)
    if (byteString('alpnProtocols', protocol).length === 0 || protocol.length > 255)
      throw new UsageError('invalid_option', 'an ALPN protocol name has 1 to 255 characters');
  return {
    crypto,
    now: options.now,
    versions,
    cipherSuites: versions.includes('TLSv1.2') ? cipherSuites : [],
    tls13CipherSuites: versions.includes('TLSv1.3') ? tls13CipherSuites : [],
    groups: allowed,
    ecdheGroups: ecdheIn(allowed, versions),
    pskKeyExchangeModes: chosen(
      'pskKeyExchangeModes',
      options.pskKeyExchangeModes ?? ['psk_dhe_ke'],
      allModes,
      () => true,
    ),
    externalPsks: (options.externalPsks ?? []).flatMap((psk) => externalPsks(crypto, psk)),
    allowShortTls12Psks: options.allowShortTls12Psks ?? false,
    transport,
    quicTransportParameters: options.quicTransportParameters,
    certificateCompression: options.certificateCompression ?? [],
    recordSizeLimit:
      options.recordSizeLimit === undefined
        ? undefined
        : inRange('recordSizeLimit', options.recordSizeLimit, 64, 16385),
    recordPaddingBlock: inRange('recordPaddingBlock', options.recordPaddingBlock ?? 1, 1, 16384),
    signatureSchemes: chosen(
      'signatureSchemes',
      options.signatureSchemes,
      allSignatureSchemes,
      (scheme) => signatures.includes(signatureAlgorithms[scheme].kind),
      usualSignatureSchemes,
    ),
    alpnProtocols,
    sessions: options.sessions,
    counters: options.counters ?? resumptionCounters(),
    keyLog: options.keyLog,
    grease: options.grease ?? false,
    allowMissingExtendedMasterSecret: options.allowMissingExtendedMasterSecret ?? false,
  };
}

function aeadOf(suite: SupportedCipherSuite): AeadAlgorithm {
  return isTls13CipherSuite(suite) ? tls13Suites[suite].aead : tls12Suites[suite].aead;
}

function byPreference(
  suites: readonly Tls13CipherSuite[],
  aeads: readonly AeadAlgorithm[],
): readonly Tls13CipherSuite[] {
  const rank = (suite: Tls13CipherSuite) => aeads.indexOf(tls13Suites[suite].aead);
  return [...suites].sort((a, b) => rank(a) - rank(b));
}

/** What signatures of the other role are accepted: without the schemes that it cannot use in any of the versions. */
export function signatureSchemesOf(
  schemes: readonly SignatureSchemeName[],
  versions: readonly HandshakeVersion[],
  signer: 'client' | 'server',
): readonly SignatureSchemeName[] {
  const offered = schemesToOffer(schemes, versions, signer);
  if (offered.length === 0)
    throw new UsageError(
      'invalid_option',
      `\`signatureSchemes\`: a ${signer} signs with none of these in ${versions.join(', ')}`,
    );
  return offered;
}

/** A list of schemes to sign with that has none for the key would never sign. */
export function checkSigning(credentials: readonly Credentials[]): void {
  for (const { signer, signatureSchemes } of credentials)
    if (signatureSchemes?.some((scheme) => schemeIsOf(scheme, signer.publicKey)) === false)
      throw new UsageError(
        'invalid_option',
        `\`signatureSchemes\` of credentials: none is for a key of kind ${signer.publicKey.kind}`,
      );
}

export function versionsWithSuites(
  min: HandshakeVersion,
  max: HandshakeVersion,
  tls12: readonly string[],
  tls13: readonly string[],
): readonly HandshakeVersion[] {
  const versions: HandshakeVersion[] = [];
  if (max === 'TLSv1.3' && tls13.length > 0) versions.push('TLSv1.3');
  if (min === 'TLSv1.2' && tls12.length > 0) versions.push('TLSv1.2');
  return versions;
}

function ecdheIn(groups: readonly KeyExchangeGroup[], versions: readonly HandshakeVersion[]): readonly EcdheGroup[] {
  const ecdhe = groups.flatMap((group) => (isMlKemGroup(group) ? [] : [group]));
  if (ecdhe.length === 0 && versions.includes('TLSv1.2'))
    throw new UsageError('invalid_option', '`groups`: TLS 1.2 needs one of elliptic curves');
  return ecdhe;
}

export function keyShareGroups(
  wanted: readonly KeyExchangeGroup[] | undefined,
  groups: readonly KeyExchangeGroup[],
): readonly KeyExchangeGroup[] {
  const unfit = wanted?.find((group) => !groups.includes(group));
  if (unfit !== undefined) throw new UsageError('invalid_option', `\`keyShareGroups\`: ${unfit} is not in \`groups\``);
  if (wanted !== undefined) return wanted;
  const [first] = groups;
  const second = first !== undefined && isMlKemGroup(first) ? groups.find((group) => !isMlKemGroup(group)) : undefined;
  return [first, second].filter((group) => group !== undefined);
}

export function earlyDataPolicy(
  options: EarlyDataOptions,
  { tickets, sessions }: Pick<ServerOptions, 'tickets' | 'sessions'>,
): EarlyDataPolicy {
  const { maxSize, replayGuard, zone } = options;
  const widest = replayGuard?.freshnessWindow ?? 2 ** 31;
  const { freshnessWindow = Math.min(defaultFreshnessWindow, widest) } = options;
  // Not everybody has types: nothing but the word itself is a yes.
  const accepted: unknown = 'acceptReplayedEarlyData' in options && options.acceptReplayedEarlyData;
  const singleUse: unknown = 'singleUseTickets' in options && options.singleUseTickets;
  if (singleUse === true && (tickets !== undefined || sessions?.take === undefined))
    throw new UsageError(
      'invalid_option',
      '`earlyData.singleUseTickets` needs `sessions` that can take, and no `tickets`',
    );
  if (replayGuard === undefined && accepted !== true && singleUse !== true)
    throw new UsageError('invalid_option', '`earlyData` needs a `replayGuard`');
  if (zone !== undefined && !(byteString('earlyData.zone', zone).length > 0 && zone.length <= 255))
    throw new UsageError('invalid_option', '`earlyData.zone` has 1 to 255 characters');
  return {
    maxSize: inRange('earlyData.maxSize', maxSize, 1, 2 ** 32 - 1),
    replayGuard,
    singleUseTickets: singleUse === true,
    freshnessWindow: inRange('earlyData.freshnessWindow', freshnessWindow, 1, widest),
    zone,
    acceptTicketsOfThisRunAtOnce: options.ticketsAreOfThisProcessAlone === true,
  };
}

function externalPsks(crypto: CryptoBackend, options: ExternalPskOptions): readonly ExternalPsk[] {
  const { identity, key, hash = 'sha256', role } = options;
  if (identity.length === 0 || identity.length > 2 ** 16 - 1)
    throw new UsageError('invalid_option', 'an external PSK needs an identity of 1 to 65535 bytes');
  if (key.length < shortestExternalKey)
    throw new UsageError('invalid_key', `an external PSK has at least ${shortestExternalKey} bytes`);
  if (options.withoutImporter === true) return [{ identity, key: concealed(copy(key)), hash, role, kind: 'external' }];
  const { context = empty } = options;
  const imported = importPsk(crypto, { externalIdentity: identity, key, context, hash }, ['sha256', 'sha384']);
  return imported.map((psk) => ({ ...psk, externalIdentity: identity, role }));
}

/** What was asked for, all of which must be supported; or else everything usual that is. */
function chosen<T extends string>(
  option: string,
  wanted: readonly T[] | undefined,
  all: readonly T[],
  supported: (value: T) => boolean,
  usual: readonly T[] = all,
): readonly T[] {
  const unfit = wanted?.find((value) => !all.includes(value) || !supported(value));
  if (unfit !== undefined)
    throw new UsageError('unsupported_by_backend', `\`${option}\`: ${unfit} is not supported here`);
  const values = wanted ?? usual.filter(supported);
  if (values.length === 0) throw new UsageError('invalid_option', `\`${option}\` is empty`);
  return values;
}
