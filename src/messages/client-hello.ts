/**
 * ClientHello: RFC 8446 4.1.2, RFC 5246 7.4.1.2, one structure for both versions.
 *
 * TLS 1.2 allows a ClientHello to end after the compression methods. `extensions` is `undefined` then, which is not the
 * same as an empty block of extensions.
 */
import { cipherSuites } from '../parameters.js';
import { enumeration, fixed, type Infer, opaque, optional, struct, vector } from '../presentation/codec.js';
import { extensionList } from './extensions/index.js';
import { protocolVersion } from './extensions/supported-versions.js';

export const cipherSuite = enumeration(2, cipherSuites);

export const clientHello = struct(
  {
    legacyVersion: protocolVersion,
    random: fixed(32),
    legacySessionId: opaque(0, 32),
    cipherSuites: vector(cipherSuite, 2, 2 ** 16 - 2),
    legacyCompressionMethods: opaque(1, 2 ** 8 - 1),
    extensions: optional(extensionList('client_hello', 0, 2 ** 16 - 1)),
  },
  (fields, reader) => ({
    legacyVersion: fields.legacyVersion.read(reader),
    random: fields.random.read(reader),
    legacySessionId: fields.legacySessionId.read(reader),
    cipherSuites: fields.cipherSuites.read(reader),
    legacyCompressionMethods: fields.legacyCompressionMethods.read(reader),
    extensions: fields.extensions.read(reader),
  }),
);
export interface ClientHello extends Infer<typeof clientHello> {}
