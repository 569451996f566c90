/**
 * ServerHello and HelloRetryRequest: RFC 8446 4.1.3 and 4.1.4, RFC 5246 7.4.1.3.
 *
 * Both have the same wire type; a special random says HelloRetryRequest. A TLS 1.2 ServerHello may end after the
 * compression method, with `extensions` `undefined`.
 */
import { equal, fromHex } from '../bytes.js';
import { constant, fixed, type Infer, opaque, optional, struct, uint8 } from '../presentation/codec.js';
import { cipherSuite } from './client-hello.js';
import { extensionList } from './extensions/index.js';
import { protocolVersion } from './extensions/supported-versions.js';

/** RFC 8446 4.1.3: SHA-256 of "HelloRetryRequest". */
export const helloRetryRequestRandom = fromHex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c');

export const serverHello = struct({
  legacyVersion: protocolVersion,
  random: fixed(32),
  legacySessionIdEcho: opaque(0, 32),
  cipherSuite,
  legacyCompressionMethod: uint8,
  extensions: optional(extensionList('server_hello', 0, 2 ** 16 - 1)),
});
export interface ServerHello extends Infer<typeof serverHello> {}

export const helloRetryRequest = struct({
  legacyVersion: protocolVersion,
  random: constant(fixed(32), helloRetryRequestRandom),
  legacySessionIdEcho: opaque(0, 32),
  cipherSuite,
  legacyCompressionMethod: constant(uint8, 0),
  extensions: extensionList('hello_retry_request', 6, 2 ** 16 - 1),
});
export interface HelloRetryRequest extends Infer<typeof helloRetryRequest> {}

/** Whether the body of a server_hello, which may be cut short, is a HelloRetryRequest. */
export function isHelloRetryRequest(body: Uint8Array): boolean {
  return equal(body.subarray(2, 34), helloRetryRequestRandom);
}
