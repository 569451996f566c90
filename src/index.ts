/**
 * `tls-resume`: TLS connections without I/O. Bytes in, bytes and events out; time, randomness and answers come from outside.
 *
 * The parts stand on their own in the subpaths: `/messages`, `/tickets`, `/sessions`, `/crypto/*`; sockets are in `/node`.
 */
export type { AlertDescription } from './alert.js';
export type { CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme } from './parameters.js';
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
export type { CertificateCompression } from './crypto/certificate-compression.js';
export { nobleCrypto } from './crypto/noble.js';
export {
  withPreparedKeyShares,
  type CryptoWithPreparedKeyShares,
  type PreparedKeyShareOptions,
} from './crypto/prepared.js';
export { importPsk, type ImportablePsk, type ImportedPsk } from './key-schedule/psk-importer.js';
export type { ReplayAnswer, ReplayGuard } from './early-data/replay-guard.js';
export type { SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite } from './key-schedule/suites.js';
export type { SignatureSchemeName } from './handshake/signature-schemes.js';
export type { Answers, Needs } from './handshake/needs.js';
export type { HandshakeResult } from './handshake/result.js';
export {
  resumptionCounters,
  type EarlyDataRefusal,
  type HandshakeMode,
  type ResumptionCounters,
  type ResumptionRefusal,
} from './handshake/resumption.js';
export type {
  CertificateQuestion,
  CertificateRequestInfo,
  CertificateVerdict,
  CertificateVerifier,
  ClientAuthentication,
  ClientHelloExtensions,
  ClientHelloInfo,
  ClientSettings,
  Credentials,
  CredentialsChooser,
  EarlyDataPolicy,
  ExternalPsk,
  ExternalPskLookup,
  PskKeyExchangeModeName,
  ServerExtensions,
  ServerSettings,
  TicketCounts,
  Tls12Psk,
  Tls12PskLookup,
  Tls12PskSelector,
} from './handshake/settings.js';
export type { Session, SessionEncoding, Staples, Tls12Session, Tls13Session } from './sessions/session.js';
export type { SessionStore } from './sessions/store.js';
export type { OpenedTicket, TicketRefusal, TicketSealer } from './tickets/sealer.js';
export { clientSettings, serverSettings } from './connection/config.js';
export {
  defaultSessionLifetime,
  defaultSkippedEarlyData,
  defaultTicketLifetimeHint,
  type ClientOptions,
  type CommonOptions,
  type EarlyDataOptions,
  type ExternalPskOptions,
  type ServerOptions,
} from './connection/options.js';
export {
  clientConnection,
  serverConnection,
  type Connection,
  type ConnectionOptions,
  type FatalAlert,
} from './connection/connection.js';
export type * from './connection/events.js';
export { defaultLimits, type ConnectionLimits } from './connection/limits.js';
