/**
 * What a server picks from a ClientHello (RFC 5246 7.4.1, RFC 8422 5.1, RFC 7301 3.2), each by its own preference.
 *
 * These functions return what was negotiated, or throw the alert that says why nothing was.
 */
import { fromAscii } from '../bytes.js';
import type { EcdheGroup, PublicKey } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { isPskSuite, tls12Suites, type Tls12CipherSuite } from '../key-schedule/suites.js';
import type { HandshakeVersion } from '../messages/handshake.js';
import { findExtension, isHostName, type ClientHello, type ServerNameList } from '../messages/index.js';
import { protocolVersions, type ProtocolVersion } from '../parameters.js';
import { chooseScheme, type SignatureSchemeName } from './signature-schemes.js';
import type { ClientHelloInfo, Credentials, ServerSettings } from './settings.js';

/** What the ClientHello says, after the checks that do not depend on what is negotiated. */
export interface HelloFacts extends ClientHelloInfo {
  readonly hello: ClientHello;
  readonly extendedMasterSecret: boolean;
  readonly secureRenegotiation: boolean;
  /** Whether session_ticket stands in it, with a ticket or without (RFC 5077 3.2). */
  readonly wantsTicket: boolean;
}

/** RFC 8446 4.2.1: with supported_versions that list decides, without it legacy_version does. RFC 9325 3.1.1: 1.2 at least. */
export function chooseVersion({ versions }: ServerSettings, hello: ClientHello): HandshakeVersion {
  const { legacyVersion } = hello;
  // RFC 8446 D.5: a hello of SSL, whatever its extensions say.
  if (legacyVersion === 'SSLv3' || (typeof legacyVersion === 'number' && legacyVersion < protocolVersions.SSLv3))
    throw new AlertError('protocol_version', `got legacy version ${legacyVersion}`);
  const offered = offeredVersions(hello);
  const version = versions.find((candidate) => offered.includes(candidate));
  if (version === undefined)
    throw new AlertError('protocol_version', `got a ClientHello without ${versions.join(' or ')}`);
  // RFC 7507 3: the client says that it had to go down, and we can go higher.
  if (version !== versions[0] && hello.cipherSuites.includes('TLS_FALLBACK_SCSV'))
    throw new AlertError('inappropriate_fallback', `got a fallback to ${version}`);
  return version;
}

/** RFC 8446 D.2: TLS 1.3 is never meant by legacy_version. */
function offeredVersions({ legacyVersion, extensions }: ClientHello): readonly ProtocolVersion[] {
  const newer = typeof legacyVersion === 'number' ? legacyVersion > 0x0304 : legacyVersion >= 'TLSv1.2';
  return findExtension(extensions, 'supported_versions') ?? (newer ? ['TLSv1.2'] : []);
}

/** What of a ClientHello an application may choose by. */
export function helloInfo(hello: ClientHello): ClientHelloInfo {
  const { extensions, cipherSuites } = hello;
  return {
    serverName: requestedName(findExtension(extensions, 'server_name') ?? []),
    alpnProtocols: (findExtension(extensions, 'application_layer_protocol_negotiation') ?? []).map(fromAscii),
    versions: offeredVersions(hello),
    cipherSuites,
    groups: findExtension(extensions, 'supported_groups') ?? [],
    signatureSchemes: findExtension(extensions, 'signature_algorithms') ?? [],
  };
}

/** RFC 6066 3: one name of a type at most; host names compare without regard to case. */
function requestedName(names: ServerNameList): string | undefined {
  const [host, ...more] = names.filter(({ nameType }) => nameType === 'host_name');
  if (host === undefined) return undefined;
  if (more.length > 0) throw new AlertError('illegal_parameter', 'got more than one host_name');
  const name = fromAscii(host.name).toLowerCase();
  if (!isHostName(name)) throw new AlertError('illegal_parameter', 'got a server_name that is no host name');
  return name;
}

/**
 * RFC 7301 3.2: the server's preference; nothing in common is fatal, silence on either side is not. RFC 9001 8.1: in QUIC a client's
 * silence is.
 */
export function chooseProtocol(settings: ServerSettings, offered: readonly string[]): string | undefined {
  if (settings.alpnProtocols.length === 0 || (offered.length === 0 && settings.transport === 'tcp')) return undefined;
  const protocol = settings.alpnProtocols.find((candidate) => offered.includes(candidate));
  if (protocol === undefined) throw new AlertError('no_application_protocol', 'no application protocol in common');
  return protocol;
}

/** What a full handshake stands on. */
export interface Negotiation {
  readonly cipherSuite: Tls12CipherSuite;
  readonly group: EcdheGroup;
  /** `undefined` with a suite of ECDHE_PSK. */
  readonly certificate: NegotiatedCertificate | undefined;
}

export interface NegotiatedCertificate {
  readonly credentials: Credentials;
  readonly scheme: SignatureSchemeName;
}

/** The first of our suites that the client offers and that one of our credentials can serve, or PSKs. */
export function negotiateSuite(settings: ServerSettings, hello: ClientHello): Negotiation {
  const group = chooseGroup(settings, hello);
  const schemes = findExtension(hello.extensions, 'signature_algorithms') ?? impliedSchemes;
  const curves = findExtension(hello.extensions, 'supported_groups');
  for (const cipherSuite of settings.cipherSuites) {
    if (!hello.cipherSuites.includes(cipherSuite)) continue;
    if (isPskSuite(cipherSuite)) {
      // No certificate comes with a PSK, and so not where one is required.
      if (settings.clientAuthentication === 'require') continue;
      return { cipherSuite, group, certificate: undefined };
    }
    for (const credentials of settings.credentials) {
      const { publicKey } = credentials.signer;
      if (tls12Suites[cipherSuite].authentication !== authenticationOf(publicKey)) continue;
      // RFC 8422 5.1: supported_groups bind the curve of an ECDSA certificate as well as that of the key exchange.
      if (publicKey.kind === 'ecdsa' && curves?.includes(publicKey.curve) === false) continue;
      const scheme = chooseScheme(credentials, schemes, { version: 'TLSv1.2', signer: 'server' });
      if (scheme !== undefined) return { cipherSuite, group, certificate: { credentials, scheme } };
    }
  }
  throw new AlertError('handshake_failure', 'no cipher suite, certificate and signature scheme in common');
}

/** RFC 8422 5.1 lets a server guess what a client without supported_groups can do; nobody is left who would have to. */
function chooseGroup(settings: ServerSettings, hello: ClientHello): EcdheGroup {
  const offered = findExtension(hello.extensions, 'supported_groups') ?? [];
  const group = settings.ecdheGroups.find((candidate) => offered.includes(candidate));
  if (group === undefined) throw new AlertError('handshake_failure', 'no group in common');
  return group;
}

/** RFC 5246 7.4.1.4.1: what silence means. Nobody signs with it who has not named it. */
const impliedSchemes = ['rsa_pkcs1_sha1', 'ecdsa_sha1'] as const;

/** RFC 8422 2.2: Ed25519 certificates go with the ECDSA suites. `undefined`: TLS 1.2 has no suites for such keys. */
export function authenticationOf(key: PublicKey): 'ecdsa' | 'rsa' | undefined {
  if (key.kind === 'mldsa') return undefined;
  return key.kind === 'rsa' ? 'rsa' : 'ecdsa';
}
