/** `nginxTarget` from the files that nginx itself reads. */
import { UsageError } from '../../errors.js';
import { nginxTarget, type NginxTargetOptions } from '../../targets/openssl-family.js';
import type { TicketTarget } from '../../targets/target.js';
import { items, contextTag, parse, rawBytes } from './asn1.js';
import { certificatesFromPem, derOf, type Pem } from './credentials.js';

export interface NginxPemTargetOptions extends Omit<NginxTargetOptions, 'serverCertificates' | 'clientCaNames'> {
  /** What each `ssl_certificate` of the server block names, in the order that {@link NginxTargetOptions.serverCertificates} says. */
  readonly certificates: readonly Pem[];
  /** What `ssl_client_certificate` names. */
  readonly clientCertificate?: Pem;
}

/**
 * The target of a server block of nginx, by its files. Throws `UsageError` (`invalid_option`) where there is no certificate in one of them.
 *
 * ```ts
 * nginxTargetFromPem({ certificates: [readFileSync('/etc/nginx/server.pem')] });
 * ```
 */
export function nginxTargetFromPem({
  certificates,
  clientCertificate,
  ...options
}: NginxPemTargetOptions): TicketTarget {
  return nginxTarget({
    ...options,
    serverCertificates: certificates.map(leafOf),
    ...(clientCertificate !== undefined && {
      clientCaNames: certificatesFromPem(clientCertificate).map((ca) => subjectOf(derOf(ca))),
    }),
  });
}

/** What comes after it in the file is its chain. */
function leafOf(pem: Pem): Uint8Array {
  const [leaf] = certificatesFromPem(pem);
  if (leaf === undefined) throw new UsageError('invalid_option', '`certificates` has a text without a certificate');
  return derOf(leaf);
}

/** RFC 5280 4.1: serialNumber, signature, issuer, validity, subject; and before them the version [0], which version 1 leaves out. */
function subjectOf(certificate: Uint8Array): Uint8Array {
  const [tbs] = items(parse(certificate));
  const [, , , , subject] = items(tbs).filter((field) => contextTag(field) !== 0);
  return new Uint8Array(rawBytes(subject));
}
