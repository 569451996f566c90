/**
 * The reasons for which a session that was found does not resume: said by the rules of `binding`, and by encodings of other servers.
 */

/** Why a session that was found is not resumed. */
export type BindingRefusal =
  | 'version_mismatch'
  /** What a client keeps was found by a server, or the reverse: a store or a key has two masters. */
  | 'role_mismatch'
  | 'too_old'
  /** The ticket, whose lifetime is its own: in TLS 1.3, and in tickets of other servers. */
  | 'expired'
  /** TLS 1.3: no enabled suite has the hash of the session's. */
  | 'cipher_suite_disabled'
  | 'cipher_suite_not_offered'
  | 'server_name_mismatch'
  | 'context_mismatch'
  /** Clients are authenticated in another way than when it was made. */
  | 'client_authentication_mismatch'
  | 'transport_mismatch'
  | 'client_certificate_missing'
  /** It holds a client certificate, and the ticket may be another server's (see `trustClientCertificatesInTickets`). */
  | 'client_certificate_distrusted'
  /** The external PSK behind the session is gone. */
  | 'external_psk_removed'
  | 'session_without_extended_master_secret'
  | 'hello_without_extended_master_secret';

/** Why early data under a session that resumes is not read (RFC 8446 4.2.10). */
export type EarlyDataBindingRefusal =
  /** The suite or the application protocol is not that of the ticket. */
  | 'suite_mismatch'
  | 'alpn_mismatch'
  /** The session is another name's. */
  | 'server_name_mismatch'
  | 'transport_mismatch'
  /** The ticket is from a place whose replay record is another one. */
  | 'other_zone'
  /** The ticket allows none, or more than the server reads now. */
  | 'limit';
