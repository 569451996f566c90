/**
 * Judges a peer's certificate chain on Node.js: path to a trust anchor (RFC 5280 6), purpose, and the server's name (RFC 9525).
 */
import type { X509Certificate } from 'node:crypto';
import type { CertificateQuestion, CertificateVerdict, CertificateVerifier } from '../../handshake/settings.js';
import { certificatePublicKey, parseCertificate } from './credentials.js';
import { matchesHost } from './host-name.js';
import { findPath } from './path.js';
import { trustAnchors, type CertificateAuthorities } from './trust-anchors.js';

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
}

/** A verifier for clients and servers; one serves any number of connections. */
export function nodeVerifier(options: NodeVerifierOptions = {}): CertificateVerifier {
  const anchors = trustAnchors(options.ca);
  const now = options.now ?? Date.now;
  return (question) => {
    const parsed = parseChain(question.certificates);
    const [leaf] = parsed ?? [];
    if (parsed === undefined || leaf === undefined) return refused('bad_certificate', 'a certificate cannot be read');
    const path = findPath(parsed, anchors, now());
    if ('alert' in path) return refused(path.alert, path.reason);
    const name = checkName(leaf, question, options.host);
    if (name !== undefined) return name;
    const publicKey = certificatePublicKey(leaf);
    if (publicKey === undefined)
      return refused('unsupported_certificate', 'the key of the certificate is of no use here');
    return { accepted: true, publicKey };
  };
}

/** Takes whatever certificate the peer shows: no authentication at all, open to anybody in the middle. */
export function acceptAnyCertificateForTesting(): CertificateVerifier {
  return ({ certificates: [der] }) => {
    const leaf = der && parseCertificate(der);
    const publicKey = leaf && certificatePublicKey(leaf);
    return publicKey === undefined
      ? refused('bad_certificate', 'the certificate cannot be read')
      : { accepted: true, publicKey };
  };
}

function parseChain(certificates: readonly Uint8Array[]): readonly X509Certificate[] | undefined {
  const parsed: X509Certificate[] = [];
  for (const der of certificates) {
    const certificate = parseCertificate(der);
    if (certificate === undefined) return undefined;
    parsed.push(certificate);
  }
  return parsed;
}

function checkName(
  leaf: X509Certificate,
  { role, serverName }: CertificateQuestion,
  host = serverName,
): CertificateVerdict | undefined {
  if (role === 'client') return undefined;
  if (host === undefined) return refused('certificate_unknown', 'no name is known that the server should prove');
  if (matchesHost(leaf, host)) return undefined;
  return refused(
    'certificate_unknown',
    `the certificate is not for ${host} but for ${leaf.subjectAltName ?? 'no name'}`,
  );
}

function refused(alert: Extract<CertificateVerdict, { accepted: false }>['alert'], reason: string): CertificateVerdict {
  return { accepted: false, alert, reason };
}
