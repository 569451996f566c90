/**
 * The certificates that trust begins with (RFC 5280 6.1.1 d): what `ca` names, or the list of Mozilla that Node.js brings.
 */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { UsageError } from '../../errors.js';
import { readCertificate, type Certificate } from './certificate.js';
import { certificatesFromPem, type Pem } from './credentials.js';

/** PEM with one certificate or many. */
export type CertificateAuthorities = Pem | readonly Pem[];

/** Trusted certificates, found by subject. What they say is read when it is first asked for. */
export class TrustAnchors {
  readonly #bySubject = new Map<string, X509Certificate[]>();
  readonly #fingerprints = new Set<string>();
  readonly #read = new WeakMap<X509Certificate, Certificate>();

  constructor(certificates: Iterable<X509Certificate>) {
    for (const certificate of certificates) {
      if (this.#fingerprints.has(certificate.fingerprint256)) continue;
      this.#fingerprints.add(certificate.fingerprint256);
      const namesakes = this.#bySubject.get(certificate.subject);
      if (namesakes === undefined) this.#bySubject.set(certificate.subject, [certificate]);
      else namesakes.push(certificate);
    }
  }

  /** Whether this very certificate is trusted. */
  has({ x509 }: Certificate): boolean {
    return this.#fingerprints.has(x509.fingerprint256);
  }

  /** Anchors that bear the name of this certificate's issuer. */
  issuersOf({ x509 }: Certificate): readonly Certificate[] {
    const namesakes = this.#bySubject.get(x509.issuer) ?? [];
    return namesakes.map((anchor) => this.#readOnce(anchor)).filter((anchor) => anchor !== undefined);
  }

  #readOnce(anchor: X509Certificate): Certificate | undefined {
    const certificate = this.#read.get(anchor) ?? readCertificate(anchor);
    if (certificate !== undefined) this.#read.set(anchor, certificate);
    return certificate;
  }
}

/** Throws `UsageError` (`invalid_option`) where `ca` holds no certificate. */
export function trustAnchors(ca?: CertificateAuthorities): TrustAnchors {
  if (ca === undefined) return (mozilla ??= new TrustAnchors(rootCertificates.map((pem) => new X509Certificate(pem))));
  const certificates = (isList(ca) ? ca : [ca]).flatMap(certificatesFromPem);
  if (certificates.length === 0) throw new UsageError('invalid_option', '`ca` holds no certificate');
  return new TrustAnchors(certificates);
}

/** Made when first needed, once. */
let mozilla: TrustAnchors | undefined;

function isList(ca: CertificateAuthorities): ca is readonly Pem[] {
  return Array.isArray(ca);
}
