/**
 * What mbed TLS 2.28 writes into tickets (library/ssl_tls.c, `ssl_session_save`). To be read, not to be written: it begins with the version of
 * the library and a number for how that was built, and where either differs the session is not taken.
 */
import { cipherSuites } from '../../parameters.js';
import {
  enumeration,
  fixed,
  opaque,
  rest,
  struct,
  uint16,
  uint32,
  uint64,
  uint8,
  type Infer,
} from '../../presentation/codec.js';
import { decodeOrUndefined } from '../decode.js';
import { masterSecretLength } from '../session.js';

const mbedtlsSession = struct({
  major: uint8,
  minor: uint8,
  patch: uint8,
  /** Which options of the build change what is written. */
  buildOptions: uint16,
  /** Seconds since 1970. */
  start: uint64,
  cipherSuite: enumeration(2, cipherSuites),
  compressionMethod: uint8,
  sessionIdLength: uint8,
  sessionId: fixed(32),
  masterSecret: fixed(masterSecretLength),
  /** Bits of `MBEDTLS_X509_BADCERT_*`; 0x80 says that verification was skipped. */
  verifyResult: uint32,
  /** As DER, with builds that keep it. */
  peerCertificate: opaque(0, 2 ** 24 - 1),
  /** Which depends on the build: ticket, lifetime, maximum fragment length, truncated HMAC, encrypt-then-MAC. */
  later: rest(),
});

export interface MbedtlsState extends Infer<typeof mbedtlsSession> {}

/** Byte strings are views. `undefined` for anything that is not of mbed TLS 2. */
export function readMbedtlsState(bytes: Uint8Array): MbedtlsState | undefined {
  const state = decodeOrUndefined(mbedtlsSession, bytes);
  return state?.major === 2 && state.sessionIdLength <= state.sessionId.length ? state : undefined;
}
