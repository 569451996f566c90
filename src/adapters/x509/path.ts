/**
 * Certification paths (RFC 5280 6, RFC 4158): from a leaf to a trust anchor, over whatever certificates the peer sent, in
 * whatever order.
 */
import type { X509Certificate } from 'node:crypto';
import type { AlertDescription } from '../../alert.js';
import type { TrustAnchors } from './trust-anchors.js';

export interface Refusal {
  readonly alert: AlertDescription;
  readonly reason: string;
}

/** Longest path, anchor included. */
export const maxPathLength = 10;

/** Signatures that the search for one path may verify: a peer may send many certificates of one name (CVE-2024-0567 alike). */
export const maxSignatureChecks = 100;

export function findPath(
  certificates: readonly X509Certificate[],
  anchors: TrustAnchors,
  now: number,
): readonly X509Certificate[] | Refusal {
  let checks = 0;
  let worst: Refusal = { alert: 'unknown_ca', reason: 'no path to a trusted certificate' };
  const [leaf, ...rest] = certificates;
  if (leaf === undefined) return worst;

  const search = (path: readonly X509Certificate[]): readonly X509Certificate[] | undefined => {
    const last = path[path.length - 1] ?? leaf;
    const refusal = checkValidity(last, now);
    if (refusal !== undefined) {
      worst = refusal;
      return undefined;
    }
    if (anchors.has(last)) return path;
    if (path.length === maxPathLength) return undefined;
    for (const issuer of [...anchors.issuersOf(last), ...rest]) {
      if (path.includes(issuer) || last.issuer !== issuer.subject) continue;
      if (!last.checkIssued(issuer)) continue;
      if (!issuer.ca) {
        worst = { alert: 'unknown_ca', reason: `${oneLine(issuer.subject)} is no certificate authority` };
        continue;
      }
      if (++checks > maxSignatureChecks) return undefined;
      if (!last.verify(issuer.publicKey)) continue;
      const found = search([...path, issuer]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search([leaf]) ?? worst;
}

function checkValidity(certificate: X509Certificate, now: number): Refusal | undefined {
  const name = oneLine(certificate.subject);
  if (now < Date.parse(certificate.validFrom))
    return { alert: 'certificate_expired', reason: `${name} is not valid before ${certificate.validFrom}` };
  if (now > Date.parse(certificate.validTo))
    return { alert: 'certificate_expired', reason: `${name} has expired on ${certificate.validTo}` };
  return undefined;
}

/** Node writes one attribute a line. */
export function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}
