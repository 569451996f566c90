/**
 * What path validation has to know of a certificate (RFC 5280 4). node:crypto parses it and knows names and keys; the extensions
 * that it keeps to itself are read with asn1js, which the built package carries along.
 *
 * The surprising thing: where the two parsers do not agree, the certificate is refused. Certificates that read differently to
 * different eyes are an attack (Frankencerts, 2014).
 */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { BitString, Boolean as AsnBoolean, Integer, ObjectIdentifier } from 'asn1js';
import { contextTag, fail, items, octets, parse, rawBytes, type Asn1 } from './asn1.js';
import { orUndefined } from '../../crypto/refusals.js';
import { mlDsaCertificateKey } from './ml-dsa.js';
import { directoryName, readNames, readSubtree, type GeneralName } from './general-name.js';

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

export interface Certificate {
  readonly x509: X509Certificate;
  /**
   * Read with the rest: OpenSSL looks into a key when it is asked for it, and throws for one that it cannot read. `undefined` for an
   * ML-DSA key that it does not know.
   */
  readonly publicKey: KeyObject | undefined;
  /** Milliseconds since 1970, both inclusive; seconds are whole. NaN if unreadable. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Subject and issuer are one name (RFC 5280 6.1). */
  readonly selfIssued: boolean;
  /** OID of the algorithm that signed it; for RSASSA-PSS with the OID of its hash behind a slash. */
  readonly signatureAlgorithm: string;
  /** basicConstraints: cA, and how many more authorities may follow. */
  readonly authority: boolean;
  readonly pathLength: number | undefined;
  /** `undefined` where the certificate does not say. */
  readonly keyUsage: { readonly digitalSignature: boolean; readonly keyCertSign: boolean } | undefined;
  /** OIDs of extKeyUsage. */
  readonly purposes: readonly string[] | undefined;
  /** subjectAltName, and the subject itself as a directoryName if it is not empty. */
  readonly names: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | undefined;
  /** OIDs of critical extensions that nobody here knows how to process. */
  readonly unknownCritical: readonly string[];
}

/** `undefined` for bytes that are no certificate, or one with a key or extensions that cannot be read. */
export function readCertificate(certificate: Uint8Array | X509Certificate): Certificate | undefined {
  try {
    return read(certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate));
  } catch {
    return undefined; // whatever OpenSSL or asn1js say: these are no bytes of a certificate
  }
}

function read(x509: X509Certificate): Certificate {
  const [tbs, algorithm] = items(parse(x509.raw));
  // TBSCertificate, RFC 5280 4.1: version is [0], and left out by version 1.
  const fields = items(tbs).filter((field) => contextTag(field) !== 0);
  const [, , issuer, , subject] = fields;
  const extensions = readExtensions(fields.find((field) => contextTag(field) === 3));
  const basic = items(extensions.take(oids.basicConstraints));
  const authority = basic.some((field) => field instanceof AsnBoolean && field.getValue());
  if (x509.ca && !authority) fail('an authority by OpenSSL that is none by asn1js');
  return {
    x509,
    publicKey: readKey(x509),
    notBefore: Date.parse(x509.validFrom),
    notAfter: Date.parse(x509.validTo),
    selfIssued: rawBytes(issuer).equals(rawBytes(subject)),
    signatureAlgorithm: signatureAlgorithm(algorithm),
    authority,
    pathLength: basic.map(wholeNumber).find((length) => length !== undefined),
    keyUsage: readKeyUsage(extensions.take(oids.keyUsage)),
    purposes: readPurposes(extensions.take(oids.extKeyUsage)),
    names: [
      ...readNames(extensions.take(oids.subjectAltName)),
      ...(subject === undefined || items(subject).length === 0 ? [] : [directoryName(subject)]),
    ],
    nameConstraints: readNameConstraints(extensions.take(oids.nameConstraints)),
    unknownCritical: extensions.critical.filter((oid) => !known.has(oid)),
  };
}

/** Whatever else OpenSSL cannot read refuses the certificate. */
function readKey(x509: X509Certificate): KeyObject | undefined {
  const key = orUndefined(() => x509.publicKey);
  return key === undefined && mlDsaCertificateKey(x509) === undefined ? fail('a key that OpenSSL cannot read') : key;
}

const oids = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  extKeyUsage: '2.5.29.37',
} as const;
/** certificatePolicies among them: any policy is acceptable here (RFC 5280 6.1.1 c), so there is nothing to process. */
const known: ReadonlySet<string> = new Set(Object.values(oids));

interface Extensions {
  readonly critical: readonly string[];
  take(oid: string): Asn1 | undefined;
}

/** RFC 5280 4.2: no extension twice. */
function readExtensions(field: Asn1 | undefined): Extensions {
  const values = new Map<string, Uint8Array>();
  const critical: string[] = [];
  const [list] = items(field);
  for (const extension of items(list)) {
    const parts = items(extension);
    const oid = identifier(parts[0]);
    if (values.has(oid)) fail(`extension ${oid} twice`);
    if (parts.some((part) => part instanceof AsnBoolean && part.getValue())) critical.push(oid);
    values.set(oid, octets(parts[parts.length - 1]));
  }
  const take = (oid: string) => {
    const value = values.get(oid);
    return value && parse(value);
  };
  return { critical, take };
}

/** RFC 5280 4.2.1.3. Bit 0 is digitalSignature, bit 5 keyCertSign. */
function readKeyUsage(value: Asn1 | undefined): Certificate['keyUsage'] {
  if (value === undefined) return undefined;
  if (!(value instanceof BitString)) return fail('keyUsage that is no BIT STRING');
  const [bits = 0] = value.valueBlock.valueHexView;
  return { digitalSignature: (bits & 0x80) !== 0, keyCertSign: (bits & 0x04) !== 0 };
}

function readPurposes(value: Asn1 | undefined): readonly string[] | undefined {
  return value && items(value).map(identifier);
}

/** RFC 5280 4.2.1.10: minimum and maximum are not for use in this profile. */
function readNameConstraints(value: Asn1 | undefined): NameConstraints | undefined {
  if (value === undefined) return undefined;
  const subtrees = (tag: number) =>
    items(items(value).find((field) => contextTag(field) === tag)).map((subtree) => {
      const [base, ...limits] = items(subtree);
      return base === undefined || limits.length > 0 ? fail('a name constraint with limits') : readSubtree(base);
    });
  return { permitted: subtrees(0), excluded: subtrees(1) };
}

function signatureAlgorithm(value: Asn1 | undefined): string {
  const [oid, parameters] = items(value);
  const name = identifier(oid);
  if (name !== rsassaPss) return name;
  // RFC 4055 3.1: hashAlgorithm is [0]; left out it is SHA-1.
  const [hash] = items(items(parameters).find((field) => contextTag(field) === 0));
  return `${name}/${hash === undefined ? 'sha1' : identifier(items(hash)[0])}`;
}

const rsassaPss = '1.2.840.113549.1.1.10';

function identifier(value: Asn1 | undefined): string {
  return value instanceof ObjectIdentifier ? value.getValue() : fail('something where an OBJECT IDENTIFIER belongs');
}

function wholeNumber(value: Asn1): number | undefined {
  if (!(value instanceof Integer)) return undefined;
  const number = value.valueBlock.valueDec;
  // asn1js answers 0 for what does not fit 32 bits, and a sign is nonsense here.
  return value.valueBlock.valueHexView.length > 4 || number < 0 ? fail('a pathLenConstraint out of range') : number;
}
