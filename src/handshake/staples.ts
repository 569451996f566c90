/**
 * What a server shows beside its certificate: an OCSP response (RFC 6066 8, RFC 8446 4.4.2.1) and signed certificate timestamps
 * (RFC 6962 3.3, RFC 8446 4.4.2). This library carries them; what they are worth the certificate verifier says.
 *
 * The surprising thing: in TLS 1.2 they stand in two places, a message of its own and the ServerHello, and a server that has
 * announced the message may still leave it out. In TLS 1.3 both are extensions of the leaf's entry in Certificate.
 */
import { empty } from '../bytes.js';
import { AlertError } from '../errors.js';
import {
  findExtension,
  signedCertificateTimestampList,
  type Certificate,
  type CertificateStatus,
  type ClientHello,
  type Extension,
  type ExtensionType,
  type SignedCertificateTimestampList,
} from '../messages/index.js';
import type { Staples } from '../sessions/session.js';
import { fitting } from './hooks.js';
import { ask, type Handshake } from './needs.js';
import type { ClientSettings, Credentials } from './settings.js';

/** What of these a client asks for. */
export function stapleRequests(settings: ClientSettings): Extension<'client_hello'>[] {
  const extensions: Extension<'client_hello'>[] = [];
  if (settings.requestOcspResponse)
    extensions.push({
      type: 'status_request',
      data: { statusType: 'ocsp', request: { responderIdList: [], requestExtensions: empty } },
    });
  if (settings.requestSignedCertificateTimestamps) extensions.push({ type: 'signed_certificate_timestamp', data: {} });
  return extensions;
}

/** What the client asks for and the server has. */
export function* staplesFor(credentials: Credentials, { extensions }: ClientHello): Handshake<Staples> {
  const wantsResponse = findExtension(extensions, 'status_request')?.statusType === 'ocsp';
  const wantsTimestamps = findExtension(extensions, 'signed_certificate_timestamp') !== undefined;
  // `null` is nothing as well.
  const ocspResponse = (wantsResponse ? yield* ask('find_ocsp_response', { credentials }) : undefined) ?? undefined;
  return staplesOf({
    ocspResponse: ocspResponse === undefined ? undefined : fitting('find_ocsp_response', ocspResponse, isNotEmpty),
    signedCertificateTimestamps: wantsTimestamps ? credentials.signedCertificateTimestamps : undefined,
  });
}

function isNotEmpty(answer: unknown): boolean {
  return answer instanceof Uint8Array && answer.length > 0;
}

/** RFC 8446 4.4.2: of the leaf's entry. */
export function leafExtensions({ ocspResponse, signedCertificateTimestamps }: Staples): Extension<'certificate'>[] {
  const extensions: Extension<'certificate'>[] = [];
  if (ocspResponse !== undefined)
    extensions.push({ type: 'status_request', data: { statusType: 'ocsp', response: ocspResponse } });
  if (signedCertificateTimestamps !== undefined) extensions.push(timestampExtension(signedCertificateTimestamps));
  return extensions;
}

/** Of a ServerHello of TLS 1.2, or of an entry. */
export function timestampExtension(list: Uint8Array): {
  readonly type: 'signed_certificate_timestamp';
  readonly data: SignedCertificateTimestampList;
} {
  return { type: 'signed_certificate_timestamp', data: signedCertificateTimestampList.decode(list) };
}

const entryExtensions: ReadonlySet<ExtensionType> = new Set<ExtensionType>([
  'status_request',
  'signed_certificate_timestamp',
]);

/** RFC 8446 4.4.2: each extension of an entry answers one of `offered`; those of the leaf count. */
export function readStaples({ certificateList }: Certificate, offered: ReadonlySet<ExtensionType>): Staples {
  for (const { extensions } of certificateList)
    for (const { type } of extensions) {
      if (!offered.has(type))
        throw new AlertError('unsupported_extension', `got extension ${String(type)} of a certificate, not asked for`);
      if (!entryExtensions.has(type))
        throw new AlertError('illegal_parameter', `got extension ${String(type)}, which has no place in certificate`);
    }
  const [leaf] = certificateList.map(({ extensions }) => ({
    ocspResponse: ocspResponseIn(findExtension(extensions, 'status_request')),
    signedCertificateTimestamps: encodedTimestamps(findExtension(extensions, 'signed_certificate_timestamp')),
  }));
  return staplesOf(leaf ?? {});
}

/** The response in arrays of its own. RFC 6066 8: of the type that was asked for. */
export function ocspResponseIn(status: CertificateStatus | undefined): Uint8Array | undefined {
  if (status !== undefined && status.statusType !== 'ocsp')
    throw new AlertError('illegal_parameter', `got a certificate status of type ${String(status.statusType)}`);
  return status?.response.slice();
}

export function encodedTimestamps(list: SignedCertificateTimestampList | undefined): Uint8Array | undefined {
  return list && signedCertificateTimestampList.encode(list);
}

/** Without what is not there, and without anything else. */
export function staplesOf({
  ocspResponse,
  signedCertificateTimestamps,
}: Partial<Record<keyof Staples, Uint8Array | undefined>>): Staples {
  return {
    ...(ocspResponse !== undefined && { ocspResponse }),
    ...(signedCertificateTimestamps !== undefined && { signedCertificateTimestamps }),
  };
}
