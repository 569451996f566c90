/**
 * The reasons for which a session that was found does not resume: said by the rules of `binding`, and by encodings of other servers.
 */

/** Why a session that was found is not resumed. */
export type BindingRefusal =
  /** For whoever finds a session and wants one of the other version: the rules are past that. */
  | 'version_mismatch'
  | 'too_old'
  /** The ticket, whose lifetime is its own: in TLS 1.3, and in tickets of other servers. */
  | 'expired'
  /** TLS 1.3: no enabled suite has the hash of the session's. */
  | 'cipher_suite_disabled'
  | 'cipher_suite_not_offered'
  | 'server_name_mismatch'
  | 'context_mismatch'
  | 'transport_mismatch'
  | 'client_certificate_missing'
  /** It holds a client certificate, and the ticket may be another server's (see `trustClientCertificatesInTickets`). */
  | 'client_certificate_distrusted'
  /** The external PSK behind the session is gone. */
  | 'external_psk_removed'
  | 'session_without_extended_master_secret'
  | 'hello_without_extended_master_secret';
