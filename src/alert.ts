/**
 * Alert descriptions: RFC 8446 6, RFC 5246 7.2 and the IANA TLS Alerts registry.
 *
 * Only `close_notify`, `user_canceled` and (TLS 1.2) `no_renegotiation` leave a connection alive; everything else is fatal.
 */
export const alertDescriptions = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  /** TLS 1.2 alone. */
  decompression_failure: 30,
  handshake_failure: 40,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  unknown_psk_identity: 115,
  certificate_required: 116,
  general_error: 117,
  no_application_protocol: 120,
} as const;

/** An alert by its RFC name. */
export type AlertDescription = keyof typeof alertDescriptions;

/** RFC 5246 7.2: the level byte. TLS 1.3 ignores it on receipt. */
export const alertLevels = { warning: 1, fatal: 2 } as const;
export type AlertLevel = keyof typeof alertLevels;

const names = new Map<number, AlertDescription>(
  (Object.keys(alertDescriptions) as AlertDescription[]).map((name) => [alertDescriptions[name], name]),
);

/** The name of an alert byte, or the byte itself where it has none. */
export function alertName(description: number): AlertDescription | number {
  return names.get(description) ?? description;
}
