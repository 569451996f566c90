/** `tls-resume/node`: TLS over sockets of Node.js, with the names of `node:tls`, and certificates. */
export * from '../x509/index.js';
export { nodeCrypto, nodeSigner } from '../../crypto/node.js';
export { connect, type ConnectOptions } from './connect.js';
export { defaultHandshakeTimeout, type IdentityOptions, type PrivateKeyOption, type SecureOptions } from './options.js';
export type { ChainedPeerCertificate } from './peer-certificate.js';
export { createServer, Server, type ServerOptions } from './server.js';
export { TLSSocket, type TLSSocketOptions } from './tls-socket.js';
