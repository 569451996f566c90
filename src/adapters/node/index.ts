/** `tls-resume/node`: TLS over sockets of Node.js, with the names of `node:tls`, and certificates. */
export { nodeCertificateCompression } from '../../crypto/node-compression.js';
export { nodeCrypto, nodeSigner } from '../../crypto/node.js';
export * from '../x509/index.js';
export { connect, type ConnectOptions } from './connect.js';
export type { ServerEvents } from './server-events.js';
export type { TLSSocketEvents } from './socket-events.js';
export { createSecureContext, type IdentityOptions, type PrivateKeyOption, type SecureContext } from './identity.js';
export {
  defaultMaxFileBytes,
  defaultMaxFileLifetime,
  defaultMaxFiles,
  FileStore,
  type FileStoreOptions,
} from './file-store.js';
export {
  defaultKeyFileInterval,
  watchKeyFiles,
  type KeyFileReload,
  type KeyFileWatcher,
  type WatchKeyFilesOptions,
} from './key-file.js';
export { defaultHandshakeTimeout, type SecureOptions } from './options.js';
export type { ClientPskCallback, ServerPskCallback } from './psk.js';
export { createServer, Server } from './server.js';
export type { ServerOptions } from './server-options.js';
export type { TicketKeys } from './ticket-keys.js';
export type { ChainedPeerCertificate } from './session-facts.js';
export { TLSSocket, type TLSSocketOptions } from './tls-socket.js';
