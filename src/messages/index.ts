/**
 * `tls-resume/messages`: every handshake message of TLS 1.2 and 1.3 as a codec, for tools that read or make them. There is
 * no cryptography here.
 *
 * @example
 * import { decodeHandshake, explainText, findExtension, handshakeMessages } from 'tls-resume/messages';
 *
 * const message = decodeHandshake('TLSv1.3', bytes);
 * if (message.type === 'client_hello') console.log(findExtension(message.body.extensions, 'server_name'));
 * console.log(explainText(handshakeMessages['TLSv1.3'], bytes));
 */
export * from '../alert.js';
export * from '../errors.js';
export * from '../parameters.js';
export {
  type Codec,
  constant,
  type Empty,
  emptyStruct,
  enumeration,
  fixed,
  type Infer,
  opaque,
  optional,
  rest,
  select,
  struct,
  uint16,
  uint24,
  uint32,
  uint64,
  uint8,
  vector,
} from '../presentation/codec.js';
export * from '../presentation/explain.js';
export * from './certificate-request.js';
export * from './certificate-verify.js';
export * from './certificate.js';
export * from './client-hello.js';
export * from './compressed-certificate.js';
export * from './empty-messages.js';
export * from './encrypted-extensions.js';
export * from './extensions/application-layer-protocol-negotiation.js';
export * from './extensions/certificate-authorities.js';
export * from './extensions/compress-certificate.js';
export * from './extensions/index.js';
export * from './extensions/key-share.js';
export * from './extensions/max-fragment-length.js';
export * from './extensions/pre-shared-key.js';
export * from './extensions/psk-key-exchange-modes.js';
export * from './extensions/server-name.js';
export * from './extensions/signature-algorithms.js';
export * from './extensions/signed-certificate-timestamp.js';
export * from './extensions/status-request.js';
export * from './extensions/supported-groups.js';
export * from './extensions/supported-versions.js';
export * from './extensions/ticket-request.js';
export { hasTlsFlag, tlsFlagsWith, type TlsFlag } from './extensions/tls-flags.js';
export * from './finished.js';
export * from './handshake.js';
export * from './key-exchange.js';
export * from './key-update.js';
export * from './message-hash.js';
export * from './new-session-ticket.js';
export * from './server-hello.js';
