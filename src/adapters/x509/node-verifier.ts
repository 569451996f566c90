/**
 * Judges a peer's certificate chain on Node.js: path to a trust anchor (RFC 5280 6), purpose, and the server's name (RFC 9525).
 *
 * Refusals carry these alerts: `certificate_expired` for times, `unknown_ca` where no path leads to an anchor,
 * `unsupported_certificate` for purposes and kinds of key, `certificate_unknown` for constrained names, and `bad_certificate` for
 * a name that does not match and everything that is broken, as OpenSSL and rustls have it. The reason is for the operator.
 */
import type { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { PublicKey } from '../../crypto/backend.js';
import type { CertificateQuestion, CertificateVerdict } from '../../handshake/settings.js';
import { readCertificate, type Certificate } from './certificate.js';
import { certificatePublicKey, parseCertificate } from './credentials.js';
import { matchesHost } from './host-name.js';
import { findPath } from './path.js';
import { trustAnchors, type CertificateAuthorities } from './trust-anchors.js';
import { defaultMaxVerdicts, VerdictCache } from './verdict-cache.js';

export interface NodeVerifierOptions {
  /** Trusted certificates in PEM. Default: the roots that Node.js brings (`tls.rootCertificates`). */
  readonly ca?: CertificateAuthorities;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /**
   * Host that a server must prove: a name or an IP address. Default: the server name of the connection, and no server is
   * accepted where there is none.
   */
  readonly host?: string;
  /** Judges the name in place of RFC 9525, as the option of `node:tls` does: an error refuses the certificate. */
  readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
  /** Chains that are remembered as accepted. Default {@link defaultMaxVerdicts}; 0 remembers none. */
  readonly maxVerdicts?: number;
}

/** Most certificates that a peer may send. */
export const maxCertificates = 10;

/** A `CertificateVerifier` that answers at once. */
export type NodeVerifier = (question: CertificateQuestion) => CertificateVerdict;

/** A verifier for clients and servers; one serves any number of connections. Throws `UsageError` for unfit options. */
export function nodeVerifier(options: NodeVerifierOptions = {}): NodeVerifier {
  const { now = Date.now } = options;
  const anchors = trustAnchors(options.ca);
  const accepted = new VerdictCache(options.maxVerdicts ?? defaultMaxVerdicts);
  return (question) => {
    const { role, certificates } = question;
    const time = now();
    const known = accepted.get(role, certificates, time);
    if (known !== undefined) return refuseName(known.leaf, question, options) ?? known.verdict;

    if (certificates.length > maxCertificates) return refused('bad_certificate', 'there are too many certificates');
    const [leaf, ...others] = certificates.map(readCertificate);
    if (leaf === undefined) return refused('bad_certificate', 'the certificate cannot be read');
    const path = findPath(leaf, others.filter(isRead), anchors, purposes[role], time);
    if ('alert' in path) return refused(path.alert, path.reason);
    const publicKey = certificatePublicKey(leaf.x509);
    if (publicKey === undefined)
      return refused('unsupported_certificate', 'TLS here has no use for a key of this kind');
    const verdict = { accepted: true, publicKey } as const;
    accepted.add(role, certificates, path, { leaf: leaf.x509, verdict });
    return refuseName(leaf.x509, question, options) ?? verdict;
  };
}

/** RFC 5280 4.2.1.12: id-kp-serverAuth and id-kp-clientAuth. */
const purposes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Takes whatever certificate the peer shows: no authentication at all, open to anybody in the middle. */
export function acceptAnyCertificateForTesting(): NodeVerifier {
  return ({ certificates }) => {
    const publicKey = leafPublicKey(certificates);
    return publicKey === undefined
      ? refused('bad_certificate', 'there is no usable certificate')
      : { accepted: true, publicKey };
  };
}

/** The key of a leaf that nobody has judged. */
export function leafPublicKey([der]: readonly Uint8Array[]): PublicKey | undefined {
  const leaf = der && parseCertificate(der);
  return leaf && certificatePublicKey(leaf);
}

/** What cannot be read among the others is passed over: a path may do without it. */
function isRead(certificate: Certificate | undefined): certificate is Certificate {
  return certificate !== undefined;
}

function refuseName(
  leaf: X509Certificate,
  { role, serverName }: CertificateQuestion,
  { host = serverName, checkServerIdentity }: NodeVerifierOptions,
): CertificateVerdict | undefined {
  if (role === 'client') return undefined;
  if (host === undefined) return refused('bad_certificate', 'no name is known that the server should prove');
  if (checkServerIdentity !== undefined) {
    const error = checkServerIdentity(host, leaf.toLegacyObject());
    return error && refused('bad_certificate', error.message);
  }
  if (matchesHost(leaf, host)) return undefined;
  return refused('bad_certificate', `the certificate is not for ${host} but for ${leaf.subjectAltName ?? 'no name'}`);
}

function refused(alert: Extract<CertificateVerdict, { accepted: false }>['alert'], reason: string): CertificateVerdict {
  return { accepted: false, alert, reason };
}
