/** What a handshake leaves behind. */
import type { SupportedCipherSuite } from '../key-schedule/suites.js';
import type { PskKind } from '../key-schedule/tls13.js';
import type { HandshakeVersion } from '../messages/handshake.js';
import type { SignatureSchemeInRegistry } from '../parameters.js';
import type { Session } from '../sessions/session.js';
import type { EarlyDataRefusal, HandshakeMode, ResumptionRefusal } from './resumption.js';

export interface HandshakeResult {
  readonly version: HandshakeVersion;
  readonly cipherSuite: SupportedCipherSuite;
  readonly mode: HandshakeMode;
  /** Why the handshake was a full one. `undefined` if it resumed. */
  readonly reason: ResumptionRefusal | undefined;
  /** The name in the ClientHello, lower case. */
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** DER, leaf first; from the session if it was resumed. Empty: the peer has not authenticated by certificate. */
  readonly peerCertificates: readonly Uint8Array[];
  /** What came with the server's chain, if it was asked for, as the certificate verifier saw it; from the session if it was resumed. */
  readonly ocspResponse: Uint8Array | undefined;
  readonly signedCertificateTimestamps: Uint8Array | undefined;
  /** Of the peer's signature in the full handshake; `undefined` if it made none: a PSK, or a client without certificate. */
  readonly peerSignatureScheme: SignatureSchemeInRegistry | undefined;
  /** The identity of the external PSK that both sides proved to have, in this handshake or in the one that it resumes. */
  readonly externalPskIdentity: Uint8Array | undefined;
  /**
   * TLS 1.3: what the PSK in use is: a ticket's, one from elsewhere (RFC 8446 2.2), or an imported one (RFC 9258). `undefined` without a
   * PSK.
   */
  readonly pskKind: PskKind | undefined;
  /** RFC 7627; always true in TLS 1.3, whose key schedule does the same. */
  readonly extendedMasterSecret: boolean;
  /** RFC 5746 3.4: whether the peer answered renegotiation_info; always true in TLS 1.3, which has no renegotiation. */
  readonly secureRenegotiation: boolean;
  /**
   * Group of the key exchange: of this handshake's, or, in a resumption of TLS 1.2, which has none, of the one in the full handshake, if
   * the session remembers it. `undefined` under `psk_ke`.
   */
  readonly group: string | undefined;
  /** RFC 8446 4.1.4: whether the ClientHello had to be sent again. */
  readonly helloRetryRequest: boolean;
  /** `none`: not offered. */
  readonly earlyData: 'none' | 'accepted' | 'rejected';
  /** Why early data was not read. `undefined` if it was. */
  readonly earlyDataReason: EarlyDataRefusal | undefined;
  /**
   * TLS 1.3 server: how much older than by our clock the ticket is by the client's, milliseconds (RFC 8446 8.3). `undefined` without
   * a ticket.
   */
  readonly ticketAgeSkew: number | undefined;
  /** TLS 1.2: whether a ticket was sent (server) or received (client). TLS 1.3, server: whether tickets follow. */
  readonly newTicket: boolean;
  /** RFC 9001 8.2: in QUIC, the peer's transport parameters. */
  readonly quicTransportParameters: Uint8Array | undefined;
  /** TLS 1.2 client: the session to resume next time, if the server left one. Those of TLS 1.3 come in events of their own. */
  readonly session: Session | undefined;
}

/** Fields of TLS 1.2 that depend on how the handshake went. */
export type Tls12Outcome = Pick<HandshakeResult, 'mode' | 'reason' | 'group' | 'newTicket'>;

/** What no TLS 1.2 handshake has. */
export const nothingOfTls13 = {
  pskKind: undefined,
  helloRetryRequest: false,
  earlyData: 'none',
  earlyDataReason: 'not_offered',
  ticketAgeSkew: undefined,
  quicTransportParameters: undefined,
} as const;

/** Clients show nothing beside their certificates. */
export const nothingStapled = { ocspResponse: undefined, signedCertificateTimestamps: undefined } as const;
