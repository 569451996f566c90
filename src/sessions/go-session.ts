/**
 * What Go's crypto/tls writes into tickets (src/crypto/tls/ticket.go), before and since Go 1.21. Times are in seconds since 1970.
 *
 * The surprising thing is what Go 1.20 keeps of TLS 1.3: the resumption master secret, and not the PSK, which is the one of an empty
 * nonce. Whoever opens one such ticket has the PSK of every ticket of its connection.
 */
import { cipherSuites, protocolVersions } from '../parameters.js';
import {
  constant,
  enumeration,
  opaque,
  rest,
  select,
  struct,
  uint64,
  uint8,
  vector,
  type Infer,
} from '../presentation/codec.js';

const version = enumeration(2, protocolVersions);
const cipherSuite = enumeration(2, cipherSuites);
const certificates = vector(opaque(1, 2 ** 24 - 1), 0, 2 ** 24 - 1);

/** RFC 8446 4.4.2, the extensions as they are. */
const certificateList = vector(
  struct({ certData: opaque(1, 2 ** 24 - 1), extensions: opaque(0, 2 ** 16 - 1) }),
  0,
  2 ** 24 - 1,
);

/** `sessionState` and `sessionStateTLS13` of Go 1.20 and before. There is no room for the extended master secret, which it did not know. */
export const go120Session = select('version', version, 'state', {
  'TLSv1.2': struct({
    cipherSuite,
    createdAt: uint64,
    masterSecret: opaque(1, 2 ** 16 - 1),
    certificates,
  }),
  'TLSv1.3': struct({
    revision: constant(uint8, 0),
    cipherSuite,
    createdAt: uint64,
    resumptionMasterSecret: opaque(1, 2 ** 8 - 1),
    certificateList,
  }),
});
export type Go120Session = Infer<typeof go120Session>;

/** The client's certificates, and the chains that were found for them, each without its first certificate. */
const client = { certificateList, verifiedChains: vector(certificates, 0, 2 ** 24 - 1) };

/** `SessionState` of Go 1.21 and later. */
export const go121Session = struct({
  version,
  type: enumeration(1, { server: 1, client: 2 }),
  cipherSuite,
  createdAt: uint64,
  /** TLS 1.2: the master secret; TLS 1.3: the PSK. */
  secret: opaque(1, 2 ** 8 - 1),
  /** The application's, of which crypto/tls knows nothing. */
  extra: vector(opaque(0, 2 ** 24 - 1), 0, 2 ** 24 - 1),
  extendedMasterSecret: enumeration(1, { no: 0, yes: 1 }),
  client: select('earlyData', enumeration(1, { no: 0, yes: 1 }), 'state', {
    no: struct(client),
    yes: struct({ ...client, alpnProtocol: opaque(0, 2 ** 8 - 1) }),
  }),
  /** What later versions add: below TLS 1.3 two bytes of group, since Go 1.25. */
  later: rest(),
});
export interface Go121Session extends Infer<typeof go121Session> {}
