/**
 * Certification paths (RFC 5280 6.1, RFC 4158): from a leaf to a trust anchor, over whatever certificates the peer sent, in
 * whatever order. Signatures and issuer names are judged by node:crypto, the rest here.
 *
 * Differences from 6.1: the anchor is judged like any other authority, as all implementations do; there is no policy tree and
 * no revocation, so that critical extensions about these refuse the certificate.
 */
import type { AlertDescription } from '../../alert.js';
import type { Certificate } from './certificate.js';
import { isWithin, type GeneralName } from './general-name.js';
import type { TrustAnchors } from './trust-anchors.js';

export interface Refusal {
  readonly alert: AlertDescription;
  readonly reason: string;
}

/** Most certificates in a path, leaf and anchor included. */
export const maxPathLength = 10;
/** Signatures that one search may verify: certificates that cross-sign each other make a maze (CVE-2024-0567). */
export const maxSignatureChecks = 100;
/** Comparisons of a name with a constraint that one authority may ask for. */
export const maxNameComparisons = 20_000;

/** The first path found whose every certificate passes, leaf first, or why there is none. */
export function findPath(
  leaf: Certificate,
  others: readonly Certificate[],
  anchors: TrustAnchors,
  purpose: string,
  now: number,
): readonly Certificate[] | Refusal {
  const refusal = refuseLeaf(leaf, purpose) ?? refuseAlways(leaf, now);
  if (refusal !== undefined) return refusal;
  const search = new PathSearch(others, anchors, purpose, now);
  return search.extend([leaf], leaf) ?? search.refusal;
}

class PathSearch {
  readonly #others: readonly Certificate[];
  readonly #anchors: TrustAnchors;
  readonly #purpose: string;
  readonly #now: number;
  #signatureChecks = 0;
  #reason: Refusal | undefined;

  constructor(others: readonly Certificate[], anchors: TrustAnchors, purpose: string, now: number) {
    this.#others = others;
    this.#anchors = anchors;
    this.#purpose = purpose;
    this.#now = now;
  }

  /** Why the first candidate that looked right was not. */
  get refusal(): Refusal {
    return this.#reason ?? { alert: 'unknown_ca', reason: 'no path leads to a trusted certificate' };
  }

  /** `last` is the last of `path`, and everything in `path` has passed. */
  extend(path: readonly Certificate[], last: Certificate): readonly Certificate[] | undefined {
    if (this.#anchors.has(last)) return path;
    for (const issuer of [...this.#anchors.issuersOf(last), ...this.#others]) {
      if (this.#signatureChecks >= maxSignatureChecks) return undefined;
      if (issuer.publicKey === undefined && issuer.x509.subject === last.x509.issuer)
        this.#reason ??= {
          alert: 'unsupported_certificate',
          reason: `${nameOf(issuer)} has an ML-DSA key, which node:crypto knows from Node.js 24.6 on`,
        };
      if (path.some((certificate) => isSameEntity(certificate, issuer)) || !last.x509.checkIssued(issuer.x509))
        continue;
      const refusal = this.#refuseIssuer(path, last, issuer);
      this.#reason ??= refusal;
      const found = refusal === undefined ? this.extend([...path, issuer], issuer) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #refuseIssuer(path: readonly Certificate[], last: Certificate, issuer: Certificate): Refusal | undefined {
    if (path.length === maxPathLength) return { alert: 'unknown_ca', reason: 'the path is too long' };
    const refusal = refuseAuthority(issuer, path, this.#purpose) ?? refuseAlways(issuer, this.#now);
    if (refusal !== undefined) return refusal;
    if (!strongSignatures.has(last.signatureAlgorithm))
      return { alert: 'bad_certificate', reason: `${nameOf(last)} is signed by a weak or unknown algorithm` };
    this.#signatureChecks++;
    if (issuer.publicKey === undefined || !last.x509.verify(issuer.publicKey))
      return { alert: 'bad_certificate', reason: `the signature of ${nameOf(last)} does not verify` };
    return refuseNames(issuer, path);
  }
}

/** A certificate that was issued twice, cross-signed perhaps, is one node of the maze (RFC 4158 5.2). */
function isSameEntity(a: Certificate, b: Certificate): boolean {
  if (a.publicKey === undefined || b.publicKey === undefined) return false;
  return a.x509.subject === b.x509.subject && a.publicKey.equals(b.publicKey);
}

/** RFC 5280 4.2.1.3, 4.2.1.12: what the leaf must be good for. */
function refuseLeaf(leaf: Certificate, purpose: string): Refusal | undefined {
  const { keyUsage, purposes, authority } = leaf;
  const refusal = (reason: string) =>
    ({ alert: 'unsupported_certificate', reason: `${nameOf(leaf)} ${reason}` }) as const;
  if (keyUsage?.digitalSignature === false) return refusal('may not sign (keyUsage)');
  if (keyUsage?.keyCertSign === true && !authority) return refusal('may sign certificates and is no authority');
  if (purposes?.includes(purpose) === false) return refusal('is for another purpose (extKeyUsage)');
  return undefined;
}

/** RFC 5280 6.1.4: what an issuer must be, but for its name and keyUsage, which `checkIssued` judges. `path` is what is below. */
function refuseAuthority(issuer: Certificate, path: readonly Certificate[], purpose: string): Refusal | undefined {
  const { authority, purposes, pathLength = Infinity } = issuer;
  const unknownCa = (reason: string) => ({ alert: 'unknown_ca', reason: `${nameOf(issuer)} ${reason}` }) as const;
  if (!authority) return unknownCa('is no certificate authority (basicConstraints)');
  // The leaf does not count, nor do authorities that signed their own successor.
  if (path.slice(1).filter(({ selfIssued }) => !selfIssued).length > pathLength)
    return unknownCa(`allows no more than ${String(pathLength)} authorities below it`);
  if (purposes !== undefined && !purposes.includes(purpose) && !purposes.includes(anyExtendedKeyUsage))
    return { alert: 'unsupported_certificate', reason: `${nameOf(issuer)} is for another purpose (extKeyUsage)` };
  return undefined;
}

const anyExtendedKeyUsage = '2.5.29.37.0';

/** RFC 5280 6.1.3 b and c: names below an issuer against its constraints. */
function refuseNames(issuer: Certificate, path: readonly Certificate[]): Refusal | undefined {
  if (issuer.nameConstraints === undefined) return undefined;
  const { permitted, excluded } = issuer.nameConstraints;
  const refusal = (reason: string) =>
    ({ alert: 'certificate_unknown', reason: `${nameOf(issuer)} ${reason}` }) as const;
  const names = path.filter(({ selfIssued }, i) => i === 0 || !selfIssued).flatMap((certificate) => certificate.names);
  if (names.length * (permitted.length + excluded.length) > maxNameComparisons)
    return refusal('constrains more names than are compared');
  for (const name of names) {
    const sameType = ({ tag }: GeneralName) => tag === name.tag;
    if (excluded.filter(sameType).some((subtree) => isWithin(name, subtree, true)))
      return refusal('excludes a name below it (nameConstraints)');
    const allowed = permitted.filter(sameType);
    if (allowed.length > 0 && !allowed.some((subtree) => isWithin(name, subtree, false)))
      return refusal('does not permit a name below it (nameConstraints)');
  }
  return undefined;
}

/** What holds for every certificate of a path. */
function refuseAlways(certificate: Certificate, now: number): Refusal | undefined {
  const { x509, notBefore, notAfter, unknownCritical } = certificate;
  // Times are inclusive, and in whole seconds. A date that cannot be read is NaN and fails.
  const second = Math.floor(now / 1000) * 1000;
  if (!(notBefore <= second))
    return { alert: 'certificate_expired', reason: `${nameOf(certificate)} is not valid before ${x509.validFrom}` };
  if (!(second <= notAfter))
    return { alert: 'certificate_expired', reason: `${nameOf(certificate)} has expired on ${x509.validTo}` };
  if (unknownCritical.length > 0)
    return {
      alert: 'bad_certificate',
      reason: `${nameOf(certificate)} has critical extensions that are not understood: ${unknownCritical.join(', ')}`,
    };
  return isUsableKey(certificate)
    ? undefined
    : {
        alert: 'unsupported_certificate',
        reason: `${nameOf(certificate)} has a key that is too weak, too long or of an unknown kind`,
      };
}

/** RFC 9325 4.2 and 4.5: RSA of 2048 bits at least, curves by name, SHA-256 at least. */
export const minRsaBits = 2048;
/** Verifying under a key that is larger takes longer than any honest authority wants (CVE-2023-29409). */
export const maxRsaBits = 8192;
const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

function isUsableKey({ publicKey }: Certificate): boolean {
  if (publicKey === undefined) return true; // ML-DSA, every parameter set of which will do
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details = {} } = publicKey;
  const { modulusLength = 0 } = details;
  if (kind === 'rsa' || kind === 'rsa-pss') return modulusLength >= minRsaBits && modulusLength <= maxRsaBits;
  if (String(kind).startsWith('ml-dsa-')) return true;
  return kind === 'ed25519' || (kind === 'ec' && curves.has(details.namedCurve));
}

const strongSignatures: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11', // sha256WithRSAEncryption, and with SHA-384 and SHA-512
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.113549.1.1.10/2.16.840.1.101.3.4.2.1', // RSASSA-PSS with SHA-256, SHA-384 and SHA-512
  '1.2.840.113549.1.1.10/2.16.840.1.101.3.4.2.2',
  '1.2.840.113549.1.1.10/2.16.840.1.101.3.4.2.3',
  '1.2.840.10045.4.3.2', // ecdsa-with-SHA256, and with SHA-384 and SHA-512
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112', // Ed25519
  '2.16.840.1.101.3.4.3.17', // ML-DSA-44, -65 and -87
  '2.16.840.1.101.3.4.3.18',
  '2.16.840.1.101.3.4.3.19',
]);

/** The subject in one line, for the operator: Node writes one attribute a line. */
function nameOf({ x509 }: Certificate): string {
  return x509.subject === '' ? 'a certificate without subject' : `"${x509.subject.replaceAll('\n', ', ')}"`;
}
