/**
 * The certificates that trust begins with (RFC 5280 6.1.1 d): what `ca` names, or the list of Mozilla that Node.js brings.
 */
import type { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { UsageError } from '../../errors.js';
import { certificatesFromPem, type Pem } from './credentials.js';

/** PEM with one certificate or many. */
export type CertificateAuthorities = Pem | readonly Pem[];

/** Trusted certificates, found by subject. */
export class TrustAnchors {
  readonly #bySubject = new Map<string, X509Certificate[]>();
  readonly #fingerprints = new Set<string>();

  constructor(certificates: Iterable<X509Certificate>) {
    for (const certificate of certificates) {
      if (this.has(certificate)) continue;
      this.#fingerprints.add(certificate.fingerprint256);
      const namesakes = this.#bySubject.get(certificate.subject);
      if (namesakes === undefined) this.#bySubject.set(certificate.subject, [certificate]);
      else namesakes.push(certificate);
    }
  }

  /** Whether this very certificate is trusted. */
  has(certificate: X509Certificate): boolean {
    return this.#fingerprints.has(certificate.fingerprint256);
  }

  /** Anchors that bear the name of this certificate's issuer. */
  issuersOf(certificate: X509Certificate): readonly X509Certificate[] {
    return this.#bySubject.get(certificate.issuer) ?? [];
  }
}

/** Throws `UsageError` (`invalid_option`) where `ca` holds no certificate. */
export function trustAnchors(ca?: CertificateAuthorities): TrustAnchors {
  if (ca === undefined) return (mozilla ??= new TrustAnchors(rootCertificates.flatMap(certificatesFromPem)));
  const certificates = (isList(ca) ? ca : [ca]).flatMap(certificatesFromPem);
  if (certificates.length === 0) throw new UsageError('invalid_option', '`ca` holds no certificate');
  return new TrustAnchors(certificates);
}

/** Parsed once, when first needed: some 150 certificates. */
let mozilla: TrustAnchors | undefined;

function isList(ca: CertificateAuthorities): ca is readonly Pem[] {
  return Array.isArray(ca);
}
