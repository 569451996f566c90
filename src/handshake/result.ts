/** What a handshake leaves behind. */
import type { Tls12CipherSuite } from '../key-schedule/suites.js';
import type { Session } from '../sessions/session.js';
import type { HandshakeMode, ResumptionRefusal } from './resumption.js';

export interface HandshakeResult {
  readonly version: 'TLSv1.2';
  readonly cipherSuite: Tls12CipherSuite;
  readonly mode: HandshakeMode;
  /** Why the handshake was a full one. `undefined` if it resumed. */
  readonly reason: ResumptionRefusal | undefined;
  /** The name in the ClientHello, lower case. */
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** DER, leaf first; from the session if it was resumed. Empty: the peer has not authenticated. */
  readonly peerCertificates: readonly Uint8Array[];
  readonly extendedMasterSecret: boolean;
  /** RFC 5746 3.4: whether the peer answered renegotiation_info. */
  readonly secureRenegotiation: boolean;
  /** Group of the key exchange; `undefined` if resumed. */
  readonly group: string | undefined;
  /** Whether a ticket was sent (server) or received (client) in this handshake. */
  readonly newTicket: boolean;
  /** Client: the session to resume next time, if the server left one. */
  readonly session: Session | undefined;
}

/** Fields that do not depend on how the handshake went. */
export type CommonResult =
  | 'version'
  | 'cipherSuite'
  | 'serverName'
  | 'alpnProtocol'
  | 'peerCertificates'
  | 'extendedMasterSecret'
  | 'secureRenegotiation';
