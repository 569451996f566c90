/**
 * `tls-resume`: TLS connections without I/O. Bytes in, bytes and events out; time, randomness and answers come from outside.
 *
 * The parts stand on their own in the subpaths: `/messages`, `/tickets`, `/sessions`, `/crypto/*`; sockets are in `/node`.
 */
export type { AlertDescription } from './alert.js';
export {
  AlertError,
  DecodeError,
  PeerAlertError,
  UsageError,
  type AlertErrorCode,
  type DecodeErrorCode,
  type TlsResumeError,
  type UsageErrorCode,
} from './errors.js';
export type {
  CryptoBackend,
  KeyExchangeGroup,
  MaybePromise,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
  Signer,
} from './crypto/backend.js';
export { nobleCrypto } from './crypto/noble.js';
export type { Tls12CipherSuite } from './key-schedule/suites.js';
export type { SignatureSchemeName } from './handshake/signature-schemes.js';
export type { Answers, Needs } from './handshake/needs.js';
export type { HandshakeResult } from './handshake/result.js';
export {
  resumptionCounters,
  type HandshakeMode,
  type ResumptionCounters,
  type ResumptionRefusal,
} from './handshake/resumption.js';
export type {
  CertificateQuestion,
  CertificateVerdict,
  CertificateVerifier,
  ClientAuthentication,
  ClientHelloInfo,
  ClientSettings,
  Credentials,
  ServerSettings,
} from './handshake/settings.js';
export type { Session, SessionEncoding } from './sessions/session.js';
export type { SessionStore } from './sessions/store.js';
export type { OpenedTicket, TicketRefusal, TicketSealer } from './tickets/sealer.js';
export {
  clientSettings,
  defaultSessionLifetime,
  defaultTicketLifetimeHint,
  serverSettings,
  type ClientOptions,
  type CommonOptions,
  type ServerOptions,
} from './connection/config.js';
export {
  clientConnection,
  serverConnection,
  type Connection,
  type ConnectionOptions,
} from './connection/connection.js';
export type * from './connection/events.js';
export { defaultLimits, type ConnectionLimits } from './connection/limits.js';
