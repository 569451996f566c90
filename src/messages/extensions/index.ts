/**
 * Which extension may stand in which message, and what its data is there: the table of RFC 8446 4.2 with the
 * extensions of TLS 1.2 beside it.
 *
 * A ServerHello is read before its version is known, so its column holds the answers of both versions. An extension in a
 * message where it has no entry comes out raw under its name; whether that is an error the handshake says.
 */
import { type ExtensionType, extensionTypes } from '../../parameters.js';
import { type Codec, emptyStruct, enumeration, opaque, rest, uint16, uint32, uint8 } from '../../presentation/codec.js';
import { type ExtensionOf, extensionVector } from '../../presentation/extension-list.js';
import { protocolNameList } from './application-layer-protocol-negotiation.js';
import { distinguishedNameList, oidFilterList } from './certificate-authorities.js';
import { certificateCompressionAlgorithmList } from './compress-certificate.js';
import { keyShareEntry, keyShareEntryList } from './key-share.js';
import { maxFragmentLength } from './max-fragment-length.js';
import { offeredPsks } from './pre-shared-key.js';
import { pskKeyExchangeModeList } from './psk-key-exchange-modes.js';
import { serverNameList } from './server-name.js';
import { signatureSchemeList } from './signature-algorithms.js';
import { signedCertificateTimestampList } from './signed-certificate-timestamp.js';
import { certificateStatus, certificateStatusRequest } from './status-request.js';
import { ecPointFormatList, namedGroup, namedGroupList } from './supported-groups.js';
import { protocolVersion, protocolVersionList } from './supported-versions.js';
import { ticketRequest } from './ticket-request.js';
import { tlsFlags } from './tls-flags.js';

/** RFC 5746 3.2: renegotiated_connection. */
const renegotiationInfo = opaque(0, 2 ** 8 - 1);

const extensionTable = {
  client_hello: {
    server_name: serverNameList,
    max_fragment_length: maxFragmentLength,
    status_request: certificateStatusRequest,
    supported_groups: namedGroupList,
    ec_point_formats: ecPointFormatList,
    signature_algorithms: signatureSchemeList,
    application_layer_protocol_negotiation: protocolNameList,
    signed_certificate_timestamp: emptyStruct,
    padding: rest(), // RFC 7685
    encrypt_then_mac: emptyStruct, // RFC 7366
    extended_master_secret: emptyStruct, // RFC 7627 5.1
    compress_certificate: certificateCompressionAlgorithmList,
    record_size_limit: uint16, // RFC 8449 4
    session_ticket: rest(), // RFC 5077 3.2: the ticket itself, without an inner length
    pre_shared_key: offeredPsks,
    early_data: emptyStruct, // RFC 8446 4.2.10
    supported_versions: protocolVersionList,
    cookie: opaque(1, 2 ** 16 - 1), // RFC 8446 4.2.2
    psk_key_exchange_modes: pskKeyExchangeModeList,
    certificate_authorities: distinguishedNameList,
    post_handshake_auth: emptyStruct, // RFC 8446 4.2.6
    signature_algorithms_cert: signatureSchemeList,
    key_share: keyShareEntryList,
    quic_transport_parameters: rest(), // RFC 9001 8.2: what is in it, QUIC defines
    ticket_request: ticketRequest,
    tls_flags: tlsFlags,
    renegotiation_info: renegotiationInfo,
  },
  server_hello: {
    server_name: emptyStruct,
    max_fragment_length: maxFragmentLength,
    status_request: emptyStruct,
    ec_point_formats: ecPointFormatList,
    application_layer_protocol_negotiation: protocolNameList,
    signed_certificate_timestamp: signedCertificateTimestampList,
    encrypt_then_mac: emptyStruct,
    extended_master_secret: emptyStruct,
    record_size_limit: uint16,
    session_ticket: emptyStruct, // RFC 5077 3.2
    pre_shared_key: uint16, // selected_identity
    supported_versions: protocolVersion,
    key_share: keyShareEntry,
    tls_flags: tlsFlags,
    renegotiation_info: renegotiationInfo,
  },
  hello_retry_request: {
    supported_versions: protocolVersion,
    cookie: opaque(1, 2 ** 16 - 1),
    key_share: namedGroup,
    tls_flags: tlsFlags,
  },
  encrypted_extensions: {
    server_name: emptyStruct,
    max_fragment_length: maxFragmentLength,
    supported_groups: namedGroupList,
    application_layer_protocol_negotiation: protocolNameList,
    record_size_limit: uint16,
    early_data: emptyStruct,
    quic_transport_parameters: rest(),
    ticket_request: uint8, // RFC 9149 3: expected_count
    tls_flags: tlsFlags,
  },
  certificate: {
    status_request: certificateStatus,
    signed_certificate_timestamp: signedCertificateTimestampList,
    tls_flags: tlsFlags,
  },
  certificate_request: {
    status_request: emptyStruct,
    signature_algorithms: signatureSchemeList,
    signed_certificate_timestamp: emptyStruct,
    compress_certificate: certificateCompressionAlgorithmList,
    certificate_authorities: distinguishedNameList,
    oid_filters: oidFilterList,
    signature_algorithms_cert: signatureSchemeList,
    tls_flags: tlsFlags,
  },
  new_session_ticket: {
    early_data: uint32, // RFC 8446 4.6.1: max_early_data_size
    tls_flags: tlsFlags,
  },
} as const satisfies Record<string, Partial<Record<Extract<ExtensionType, string>, Codec<unknown>>>>;

/** The messages that carry extensions. */
export type ExtensionContext = keyof typeof extensionTable;

/**
 * One extension of a message: `type` tells what `data` is. Types that the message does not know, by name or by number,
 * have raw data.
 */
export type Extension<M extends ExtensionContext = ExtensionContext> = M extends ExtensionContext
  ? ExtensionOf<(typeof extensionTable)[M], ExtensionType>
  : never;

/** `Extension extensions<min..max>` of a message, in the order of the wire. */
export function extensionList<M extends ExtensionContext>(message: M, min: number, max: number) {
  return extensionVector(
    extensionType,
    extensionTable[message],
    min,
    max,
    negotiating.includes(message) ? 'decode_error' : 'illegal_parameter',
  );
}
/** As BoringSSL has it: what a client offers and a server answers is taken apart before anything is looked at. */
const negotiating: readonly ExtensionContext[] = ['client_hello', 'server_hello', 'encrypted_extensions'];
const extensionType = enumeration(2, extensionTypes);

/** The data of the extension of that type: typed where the message knows it, raw where not, `undefined` if it is absent. */
export function findExtension<E extends AnyExtension, const K extends E['type']>(
  extensions: readonly E[] | undefined,
  type: K,
): ExtensionData<E, K> | undefined {
  const isOfType = (extension: E): extension is E & { readonly data: ExtensionData<E, K> } => extension.type === type;
  return extensions?.find(isOfType)?.data;
}

interface AnyExtension {
  readonly type: ExtensionType;
  readonly data: unknown;
}
type ExtensionData<E, K> = E extends { readonly type: infer T; readonly data: infer D }
  ? K extends T
    ? D
    : never
  : never;
