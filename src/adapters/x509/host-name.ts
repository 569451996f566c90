/**
 * Does a certificate speak for this host? RFC 9525 (which replaces RFC 6125), by OpenSSL's `X509_check_host` and
 * `X509_check_ip`.
 *
 * The surprising thing, for who comes from `tls.checkServerIdentity`: the Common Name is never looked at (RFC 9525 6.3).
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** `host` is a DNS name in ASCII or the text of an IP address. */
export function matchesHost(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  // RFC 9525 6.3: a wildcard is the whole left-most label, and stands for one label.
  return certificate.checkHost(host, { subject: 'never', partialWildcards: false }) !== undefined;
}
