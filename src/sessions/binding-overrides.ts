/**
 * The rules of `binding` that can be switched off, each by its own long name. Every one of them is a way for a session to be honoured
 * where it was not made, which is what most recorded failures of session resumption are.
 *
 * What has no name here cannot be had: keys of another version or hash do not fit, and a session of one role has not what the other needs.
 * Extended master secret and resumption across names (RFC 7627 5.3, draft-ietf-tls-cross-sni-resumption) have options of their own.
 */

/** All default to false. */
export interface BindingOverrides {
  /** Lets `maximumSessionAge` be more than 7 days since the full handshake. A ticket itself never is (RFC 8446 4.6.1). */
  readonly allowSessionsOlderThanSevenDays?: boolean;
  /** TLS 1.2: sessions of suites that are not enabled any more. In TLS 1.3 a suite of the session's hash has to be in use anyway. */
  readonly allowSessionsOfDisabledCipherSuites?: boolean;
  /** TLS 1.3: sessions of QUIC over TCP and the reverse (RFC 9001 4.5); never with early data. */
  readonly allowSessionsOfOtherTransports?: boolean;
  /** Sessions that were made for another host_name, or none (RFC 6066 3); never with early data. */
  readonly allowSessionsOfOtherServerNames?: boolean;
  /** Sessions with another `applicationContext`: of other virtual hosts; in clients, of other trust and identity. */
  readonly allowSessionsOfOtherApplicationContexts?: boolean;
  /** Server: sessions that were made while clients were authenticated in another way: mode, authorities, verifier, revocation epoch. */
  readonly allowSessionsOfOtherClientAuthenticationPolicies?: boolean;
  /** Server: sessions of clients that showed no certificate, where one is required now. */
  readonly allowSessionsWithoutRequiredClientCertificate?: boolean;
  /**
   * Does not ask `verifyCertificate` again: chains that have expired, lost their root or been revoked go on resuming. Sockets are not
   * `authorized` then, for nobody has said so of this connection.
   */
  readonly allowSessionsOfPeersThatAreNotJudgedAgain?: boolean;
  /**
   * Server: reads early data that was written for another application protocol than the one of now. Against RFC 8446 4.2.10, which has
   * clients end such a connection: for those that do not look.
   */
  readonly allowEarlyDataOfOtherApplicationProtocols?: boolean;
}

/** What there is, for whoever has no types. */
export const bindingOverrideNames: Readonly<Record<keyof BindingOverrides, true>> = {
  allowSessionsOlderThanSevenDays: true,
  allowSessionsOfDisabledCipherSuites: true,
  allowSessionsOfOtherTransports: true,
  allowSessionsOfOtherServerNames: true,
  allowSessionsOfOtherApplicationContexts: true,
  allowSessionsOfOtherClientAuthenticationPolicies: true,
  allowSessionsWithoutRequiredClientCertificate: true,
  allowSessionsOfPeersThatAreNotJudgedAgain: true,
  allowEarlyDataOfOtherApplicationProtocols: true,
};
