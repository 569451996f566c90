/**
 * What s2n-tls writes into tickets (tls/s2n_resume.c). Times are in nanoseconds since 1970.
 *
 * The surprising thing is the first byte: it numbers the formats of both versions in one row, so that 2 is TLS 1.3 and 1, 3 and 4 are
 * TLS 1.2; and versions are numbers of its own, 33 for 1.2.
 */
import { cipherSuites } from '../parameters.js';
import {
  enumeration,
  fixed,
  opaque,
  optional,
  select,
  struct,
  uint32,
  uint64,
  uint8,
  type Infer,
} from '../presentation/codec.js';
import { masterSecretLength } from './session.js';

const protocolVersion = enumeration(1, { 'TLSv1.2': 33, 'TLSv1.3': 34 });
const cipherSuite = enumeration(2, cipherSuites);

const tls12 = { protocolVersion, cipherSuite, issuedAt: uint64, masterSecret: fixed(masterSecretLength) };
const withExtendedMasterSecret = struct({ ...tls12, extendedMasterSecret: uint8 });

/** `s2n_serialize_resumption_state`. */
export const s2nSession = select(
  'format',
  enumeration(1, { tls12_1: 1, tls13_1: 2, tls12_2: 3, tls12_3: 4 }),
  'state',
  {
    tls12_1: struct(tls12),
    tls13_1: struct({
      protocolVersion,
      cipherSuite,
      issuedAt: uint64,
      ticketAgeAdd: uint32,
      psk: opaque(1, 2 ** 8 - 1),
      /** When the full handshake counts no longer. */
      keyingMaterialExpiration: uint64,
      maxEarlyDataSize: uint32,
      /** Where `maxEarlyDataSize` is not 0. */
      earlyData: optional(struct({ alpnProtocol: opaque(0, 2 ** 8 - 1), context: opaque(0, 2 ** 16 - 1) })),
    }),
    tls12_2: withExtendedMasterSecret,
    tls12_3: withExtendedMasterSecret,
  },
);
export type S2nSession = Infer<typeof s2nSession>;
