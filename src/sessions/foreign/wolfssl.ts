/**
 * What wolfSSL 5.5 writes into tickets (`InternalTicket`, src/internal.c). To be read, not to be written.
 *
 * The surprising thing: in TLS 1.3 the secret is the resumption master secret, and not the PSK; and the time is in seconds, in the first
 * half of its field, or in milliseconds, in all of it.
 */
import { cipherSuites, namedGroups, protocolVersions } from '../../parameters.js';
import { enumeration, fixed, struct, uint32, uint8, type Infer } from '../../presentation/codec.js';
import { decodeOrUndefined } from '../decode.js';
import { masterSecretLength } from '../session.js';

const wolfsslSession = struct({
  version: enumeration(2, protocolVersions),
  cipherSuite: enumeration(2, cipherSuites),
  /** TLS 1.2: the master secret. TLS 1.3: the resumption master secret, and zeros after it where it is shorter. */
  secret: fixed(masterSecretLength),
  timestamp: fixed(8),
  extendedMasterSecret: uint8,
  ticketAgeAdd: uint32,
  group: enumeration(2, namedGroups),
  ticketNonceLength: uint8,
  ticketNonce: fixed(8),
  sessionId: fixed(32),
});

export interface WolfsslState extends Omit<
  Infer<typeof wolfsslSession>,
  'timestamp' | 'ticketNonce' | 'ticketNonceLength'
> {
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** TLS 1.3. */
  readonly ticketNonce: Uint8Array;
}

/** Byte strings are views. `undefined` for anything else. */
export function readWolfsslState(bytes: Uint8Array): WolfsslState | undefined {
  const session = decodeOrUndefined(wolfsslSession, bytes);
  if (session === undefined || session.extendedMasterSecret > 1) return undefined;
  const { timestamp, ticketNonce, ticketNonceLength, ...state } = session;
  if (ticketNonceLength > ticketNonce.length) return undefined;
  if (state.version !== 'TLSv1.2' && state.version !== 'TLSv1.3') return undefined;
  return {
    ...state,
    issuedAt: timeIn(timestamp, state.version),
    ticketNonce: ticketNonce.subarray(0, ticketNonceLength),
  };
}

function timeIn(timestamp: Uint8Array, version: 'TLSv1.2' | 'TLSv1.3'): number {
  const { buffer, byteOffset, length } = timestamp;
  const view = new DataView(buffer, byteOffset, length);
  return version === 'TLSv1.2' ? view.getUint32(0) * 1000 : Number(view.getBigUint64(0));
}
