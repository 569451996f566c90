/**
 * What a client reads in the answers to its ClientHello: HelloRetryRequest, ServerHello and EncryptedExtensions of TLS 1.3 (RFC 8446
 * 4.1.3, 4.1.4, 4.3.1).
 *
 * These functions return what the server chose, or throw the alert for what it may not choose: nothing that was not offered, and
 * nothing in the wrong message.
 */
import { equal, fromAscii } from '../bytes.js';
import type { KeyExchangeGroup } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { isTls13CipherSuite, tls13Suites, type Tls13CipherSuite } from '../key-schedule/suites.js';
import {
  findExtension,
  type EncryptedExtensions,
  type ExtensionType,
  type HelloRetryRequest,
  type ServerHello,
} from '../messages/index.js';
import type { OfferedPsk, SentClientHello } from './client-hello.js';
import type { ClientHandshake } from './handshake-state.js';
import { acceptRecordSizeLimit } from './record-size-limit.js';

/** RFC 8446 4.2.1: what a ServerHello or HelloRetryRequest says its version is; `undefined` is TLS 1.2 or below. */
export function selectedVersion({ extensions }: ServerHello | HelloRetryRequest): 'TLSv1.3' | undefined {
  for (const { type, data } of extensions ?? []) {
    if (type !== 'supported_versions') continue;
    if (data === 'TLSv1.3') return data;
    throw new AlertError('illegal_parameter', `got version ${String(data)}, which was not offered`);
  }
  return undefined;
}

/** RFC 8446 4.1.3 and 4.1.4: what both hellos of a server have in common. */
export function checkHello(
  hs: ClientHandshake,
  sent: SentClientHello,
  hello: ServerHello | HelloRetryRequest,
  message: keyof typeof helloExtensions = 'hello_retry_request',
): Tls13CipherSuite {
  if (hello.legacyVersion !== 'TLSv1.2')
    throw new AlertError('illegal_parameter', `got legacy version ${String(hello.legacyVersion)}, expected 0x0303`);
  if (selectedVersion(hello) === undefined)
    throw new AlertError('missing_extension', 'got no supported_versions in a HelloRetryRequest');
  if (!equal(hello.legacySessionIdEcho, sent.sessionId))
    throw new AlertError('illegal_parameter', 'got another session ID than was sent');
  const { cipherSuite } = hello;
  if (!isTls13CipherSuite(cipherSuite) || !hs.settings.tls13CipherSuites.includes(cipherSuite))
    throw new AlertError('illegal_parameter', `got cipher suite ${String(cipherSuite)}, which was not offered`);
  if (hello.legacyCompressionMethod !== 0) throw new AlertError('illegal_parameter', 'got a compression method');
  const extensions: readonly { readonly type: ExtensionType }[] = hello.extensions ?? [];
  checkExtensions(extensions, sent.extensions, helloExtensions[message], message);
  return cipherSuite;
}

/** What ServerHello and HelloRetryRequest may hold (RFC 8446 4.2). */
const helloExtensions: Record<'server_hello' | 'hello_retry_request', ReadonlySet<ExtensionType>> = {
  server_hello: new Set(['supported_versions', 'key_share', 'pre_shared_key']),
  hello_retry_request: new Set(['supported_versions', 'key_share', 'cookie']),
};

/** RFC 8446 4.2.8: one of our groups, for which there was no share. */
export function requestedGroup(
  hs: ClientHandshake,
  sent: SentClientHello,
  { extensions }: HelloRetryRequest,
): KeyExchangeGroup | undefined {
  const requested = findExtension(extensions, 'key_share');
  if (requested === undefined) return undefined;
  const group = hs.settings.groups.find((candidate) => candidate === requested);
  if (group === undefined || sent.keyShares.has(group))
    throw new AlertError('illegal_parameter', `got a request for group ${String(requested)}`);
  return group;
}

/** RFC 8446 4.2.11. */
export function selectedPsk(
  sent: SentClientHello,
  { extensions }: ServerHello,
  suite: Tls13CipherSuite,
): OfferedPsk | undefined {
  const selected = findExtension(extensions, 'pre_shared_key');
  if (selected === undefined) return undefined;
  const psk = sent.psks[selected];
  if (psk === undefined)
    throw new AlertError('illegal_parameter', `got selected identity ${selected} of ${sent.psks.length}`);
  if (psk.hash !== tls13Suites[suite].hash)
    throw new AlertError('illegal_parameter', 'got a PSK together with a cipher suite of another hash');
  return psk;
}

/** RFC 8446 4.3.1. What goes beyond one message is noted in the handshake. */
export function readEncryptedExtensions(
  hs: ClientHandshake,
  sent: SentClientHello,
  { extensions }: EncryptedExtensions,
): { readonly alpnProtocol: string | undefined } {
  const { settings } = hs;
  checkExtensions(extensions, sent.extensions, encryptedExtensions, 'encrypted_extensions');
  const protocols = findExtension(extensions, 'application_layer_protocol_negotiation');
  const [alpnProtocol, ...more] = (protocols ?? []).map(fromAscii);
  if (alpnProtocol !== undefined && (more.length > 0 || !settings.alpnProtocols.includes(alpnProtocol)))
    throw new AlertError('illegal_parameter', 'got an application protocol that was not offered');
  acceptRecordSizeLimit(hs, findExtension(extensions, 'record_size_limit'));
  if (settings.transport === 'quic') checkQuicParameters(hs, extensions, alpnProtocol);
  return { alpnProtocol };
}

const encryptedExtensions: ReadonlySet<ExtensionType> = new Set<ExtensionType>([
  'server_name',
  'max_fragment_length',
  'supported_groups',
  'application_layer_protocol_negotiation',
  'record_size_limit',
  'early_data',
  'quic_transport_parameters',
  'ticket_request',
]);

/** RFC 9001 8.1 and 8.2. */
function checkQuicParameters(
  hs: ClientHandshake,
  extensions: EncryptedExtensions['extensions'],
  alpnProtocol: string | undefined,
): void {
  if (alpnProtocol === undefined && hs.settings.alpnProtocols.length > 0)
    throw new AlertError('no_application_protocol', 'got no application protocol');
  const parameters = findExtension(extensions, 'quic_transport_parameters');
  if (parameters === undefined) throw new AlertError('missing_extension', 'got no quic_transport_parameters');
  hs.peerTransportParameters = parameters.slice();
}

/** RFC 8446 4.2: answers to what was asked, in the message where they belong. A cookie is the one that nobody asks for. */
function checkExtensions(
  extensions: readonly { readonly type: ExtensionType }[],
  offered: ReadonlySet<ExtensionType>,
  allowed: ReadonlySet<ExtensionType>,
  message: string,
): void {
  for (const { type } of extensions) {
    if (type === 'cookie' && allowed.has(type)) continue;
    if (!offered.has(type))
      throw new AlertError('unsupported_extension', `got extension ${String(type)}, which was not offered`);
    // RFC 8446 4.2 wants illegal_parameter for that, and 6.2 unsupported_extension: in EncryptedExtensions others take the latter.
    if (!allowed.has(type))
      throw new AlertError(
        message === 'encrypted_extensions' ? 'unsupported_extension' : 'illegal_parameter',
        `got extension ${String(type)}, which has no place in ${message}`,
      );
  }
}
