/**
 * The server's first step: judge the ClientHello, choose the settings for it, and hand over to the flow of its version
 * (RFC 5246 7.4.1.2, RFC 8446 4.2.1, RFC 6066 3, RFC 5746 3.6).
 */
import { AlertError, UsageError } from '../errors.js';
import { findExtension, type ClientHello } from '../messages/index.js';
import type { ServerHandshake } from './handshake-state.js';
import { ask, receive, type Handshake } from './needs.js';
import { chooseVersion, helloInfo } from './negotiate.js';
import { readTls13Hello } from './negotiate-tls13.js';
import type { HandshakeResult } from './result.js';
import { serverTls12 } from './server-tls12.js';
import { serverTls13 } from './server-tls13.js';
import type { ServerSettings } from './settings.js';

/** RFC 8446 2 figures 1 to 4; RFC 5246 7.3 figures 1 and 2, RFC 5077 3.1 figures 1 to 4, from the server's side. */
export function* serverHandshake(hs: ServerHandshake): Handshake<HandshakeResult> {
  const message = yield* receive('client_hello');
  const { body: hello, bytes } = message;
  const info = helloInfo(hello);
  const settings = yield* ask('choose_settings', { settings: hs.settings, hello: info });
  if (settings === undefined)
    throw new AlertError('unrecognized_name', `got server name ${info.serverName ?? '(none)'}, which is not ours`);
  if (settings.transport !== hs.settings.transport)
    throw new UsageError('invalid_option', '`chooseSettings` chose settings of another `transport`');
  hs.settings = settings;
  // RFC 9001 8.2: whoever knows the extension refuses it where it has no place.
  if (settings.transport === 'tcp' && findExtension(hello.extensions, 'quic_transport_parameters') !== undefined)
    throw new AlertError('unsupported_extension', 'got quic_transport_parameters, and this is not QUIC');
  const version = chooseVersion(settings, hello);
  hs.clientRandom = hello.random;
  if (version === 'TLSv1.3') return yield* serverTls13(hs, readTls13Hello(message));

  hs.transcript.add(bytes);
  if (!hello.legacyCompressionMethods.includes(0))
    throw new AlertError('illegal_parameter', 'got no null compression method');
  const formats = findExtension(hello.extensions, 'ec_point_formats');
  if (formats !== undefined && !formats.includes('uncompressed'))
    throw new AlertError('illegal_parameter', 'got ec_point_formats without uncompressed');

  return yield* serverTls12(hs, {
    ...info,
    hello,
    extendedMasterSecret: findExtension(hello.extensions, 'extended_master_secret') !== undefined,
    secureRenegotiation: checkRenegotiation(settings, hello),
    wantsTicket: findExtension(hello.extensions, 'session_ticket') !== undefined,
  });
}

/** RFC 5746 3.6: the SCSV or an empty extension. */
function checkRenegotiation(settings: ServerSettings, hello: ClientHello): boolean {
  const info = findExtension(hello.extensions, 'renegotiation_info');
  if (info !== undefined && info.length > 0)
    throw new AlertError('handshake_failure', 'got renegotiation_info that is not empty');
  const secure = info !== undefined || hello.cipherSuites.includes('TLS_EMPTY_RENEGOTIATION_INFO_SCSV');
  if (!secure && !settings.allowClientsWithoutSecureRenegotiation)
    throw new AlertError('handshake_failure', 'got neither renegotiation_info nor its SCSV');
  return secure;
}
