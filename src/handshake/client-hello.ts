/**
 * The ClientHello (RFC 8446 4.1.2): one message that offers TLS 1.2 and 1.3 at once, with resumption material for either, and
 * the same message again after a HelloRetryRequest.
 *
 * The surprising thing is its end: binders cover everything before them, so they are written into the encoded message.
 */
import { ascii, copy, empty } from '../bytes.js';
import { hashLength } from '../crypto/backend.js';
import type { HashAlgorithm, KeyExchangeGroup, KeyShare } from '../crypto/backend.js';
import type { PskKind, Tls13KeySchedule } from '../key-schedule/tls13.js';
import {
  encodeHandshake,
  truncateClientHello,
  writeBinders,
  type Extension,
  type ExtensionType,
} from '../messages/index.js';
import type { Tls12Session, Tls13Session } from '../sessions/session.js';
import type { StoredSession } from './handshake-base.js';
import { withGrease, type ClientGrease } from './grease.js';
import type { ClientHandshake } from './handshake-state.js';
import { fitting } from './hooks.js';
import type { ClientSettings, ExternalPsk } from './settings.js';
import { stapleRequests } from './staples.js';

/** A PSK to be offered, with its early secret computed once for binder, early data and handshake. */
export interface OfferedPsk {
  readonly kind: PskKind;
  readonly identity: Uint8Array;
  readonly hash: HashAlgorithm;
  readonly schedule: Tls13KeySchedule;
  /** The external PSK that it is, or that stands behind the ticket. */
  readonly external: ExternalPsk | undefined;
  /** Of a ticket. */
  readonly session: Tls13Session | undefined;
}

/** What a ClientHello is made of. */
export interface ClientOffer {
  /** Where the TLS 1.2 session came from, unless the caller gave it. */
  readonly tls12: { readonly session: Tls12Session | undefined; readonly stored: StoredSession | undefined };
  readonly sessionId: Uint8Array;
  readonly psks: readonly OfferedPsk[];
  /** Whether the first ClientHello offered any of that: a second one may leave PSKs out. */
  readonly offersResumption: boolean;
  readonly keyShares: ReadonlyMap<KeyExchangeGroup, KeyShare>;
  readonly earlyData: boolean;
  readonly grease: ClientGrease | undefined;
  /** From a HelloRetryRequest. */
  readonly cookie: Uint8Array | undefined;
  /** Of the first ClientHello, for the second: the types of its extensions in their order. */
  readonly firstOrder: readonly ExtensionType[] | undefined;
}

/** A ClientHello on its way, for the checks on the answer. */
export interface SentClientHello extends ClientOffer {
  /** Types of the extensions sent. */
  readonly extensions: ReadonlySet<ExtensionType>;
}

/** Encodes and sends; the binders are those of the transcript so far. */
export function sendClientHello(hs: ClientHandshake, offer: ClientOffer): SentClientHello {
  const { settings } = hs;
  const extensions = clientHelloExtensions(settings, offer);
  const bytes = encodeHandshake('TLSv1.3', {
    type: 'client_hello',
    body: {
      legacyVersion: 'TLSv1.2',
      random: hs.clientRandom,
      legacySessionId: offer.sessionId,
      cipherSuites: cipherSuites(settings, offer),
      legacyCompressionMethods: Uint8Array.of(0),
      extensions,
    },
  });
  if (offer.psks.length > 0) fillBinders(hs, offer.psks, bytes);
  hs.sendBytes(bytes);
  return { ...offer, extensions: new Set(extensions.map(({ type }) => type)) };
}

function cipherSuites({ tls13CipherSuites, cipherSuites: tls12 }: ClientSettings, { grease }: ClientOffer) {
  return grease === undefined ? [...tls13CipherSuites, ...tls12] : [grease.cipherSuite, ...tls13CipherSuites, ...tls12];
}

/** Why a handshake was a full one, as far as a client knows. */
export function refusalHeard({ offersResumption }: ClientOffer): 'not_offered' | 'declined_by_server' {
  return offersResumption ? 'declined_by_server' : 'not_offered';
}

/** RFC 8446 4.2.11.2. */
function fillBinders(hs: ClientHandshake, psks: readonly OfferedPsk[], bytes: Uint8Array): void {
  const truncated = truncateClientHello(bytes, psks.map(placeholder));
  writeBinders(
    bytes,
    psks.map(({ kind, hash, schedule }) => schedule.binder(kind, hs.transcript.digestUnder(hash, truncated))),
  );
}

function placeholder({ hash }: OfferedPsk): Uint8Array {
  return new Uint8Array(hashLength[hash]);
}

function clientHelloExtensions(settings: ClientSettings, offer: ClientOffer): Extension<'client_hello'>[] {
  const { serverName, alpnProtocols, versions } = settings;
  const [tls12, tls13] = [versions.includes('TLSv1.2'), versions.includes('TLSv1.3')];
  const extensions: Extension<'client_hello'>[] = [];
  if (serverName !== undefined)
    extensions.push({ type: 'server_name', data: [{ nameType: 'host_name', name: ascii(serverName) }] });
  if (tls12)
    extensions.push(
      { type: 'extended_master_secret', data: {} }, // RFC 7627 5.2: in every ClientHello
      { type: 'renegotiation_info', data: empty }, // RFC 5746 3.4: in every initial ClientHello
    );
  extensions.push({ type: 'supported_groups', data: tls13 ? settings.groups : settings.ecdheGroups });
  if (tls12) {
    extensions.push({ type: 'ec_point_formats', data: ['uncompressed'] });
    if (settings.tickets) extensions.push({ type: 'session_ticket', data: offer.tls12.session?.ticket ?? empty });
  }
  if (alpnProtocols.length > 0)
    extensions.push({ type: 'application_layer_protocol_negotiation', data: alpnProtocols.map(ascii) });
  extensions.push({ type: 'signature_algorithms', data: settings.signatureSchemes });
  extensions.push(...stapleRequests(settings));
  if (settings.recordSizeLimit !== undefined)
    extensions.push({ type: 'record_size_limit', data: settings.recordSizeLimit });
  if (tls13) extensions.push(...tls13Extensions(settings, offer));
  const greased = offer.grease === undefined ? extensions : withGrease(extensions, offer.grease);
  const ordered = settings.permuteExtensions ? permuted(greased, settings, offer) : greased;
  const shaped = fitting('shapeClientHello', settings.shapeClientHello?.(ordered) ?? ordered, Array.isArray);
  return offer.psks.length === 0 ? [...shaped] : [...shaped, preSharedKey(settings, offer.psks)];
}

/** In random order, and the second time in that of the first, for RFC 8446 4.1.2 lets nothing change that was not asked for. */
function permuted(
  extensions: readonly Extension<'client_hello'>[],
  { crypto }: ClientSettings,
  { firstOrder }: ClientOffer,
): Extension<'client_hello'>[] {
  const ranks =
    firstOrder === undefined
      ? new Uint32Array(copy(crypto.randomBytes(4 * extensions.length)).buffer)
      : extensions.map(({ type }) => (firstOrder.includes(type) ? firstOrder.indexOf(type) : firstOrder.length));
  return extensions
    .map((extension, index) => ({ extension, rank: ranks[index] ?? 0 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ extension }) => extension);
}

/** RFC 8446 4.2, all but pre_shared_key, which is the last one (4.2.11). */
function tls13Extensions(settings: ClientSettings, offer: ClientOffer): Extension<'client_hello'>[] {
  const { versions, certificateCompression, ticketRequest, transport, quicTransportParameters } = settings;
  const keyShares = [...offer.keyShares].map(([group, { publicKey }]) => ({ group, keyExchange: publicKey }));
  const extensions: Extension<'client_hello'>[] = [
    { type: 'key_share', data: keyShares },
    { type: 'supported_versions', data: versions },
    // RFC 8446 4.2.9: without modes there are no tickets to be had.
    { type: 'psk_key_exchange_modes', data: settings.pskKeyExchangeModes },
  ];
  if (certificateCompression.length > 0)
    extensions.push({ type: 'compress_certificate', data: certificateCompression.map(({ algorithm }) => algorithm) });
  if (ticketRequest !== undefined) extensions.push({ type: 'ticket_request', data: ticketRequest });
  if (transport === 'quic' && quicTransportParameters !== undefined)
    extensions.push({ type: 'quic_transport_parameters', data: quicTransportParameters });
  if (offer.cookie !== undefined) extensions.push({ type: 'cookie', data: offer.cookie });
  if (offer.earlyData) extensions.push({ type: 'early_data', data: {} });
  return extensions;
}

function preSharedKey(settings: ClientSettings, psks: readonly OfferedPsk[]): Extension<'client_hello'> {
  const now = settings.now();
  return {
    type: 'pre_shared_key',
    data: {
      identities: psks.map(({ identity, session }) => ({
        identity,
        obfuscatedTicketAge: session === undefined ? 0 : obfuscatedAge(session, now),
      })),
      binders: psks.map(placeholder),
    },
  };
}

/** RFC 8446 4.2.11.1. A clock that went back says that no time has passed. */
function obfuscatedAge({ issuedAt, ticketAgeAdd }: Tls13Session, now: number): number {
  return (Math.max(0, Math.floor(now - issuedAt)) + ticketAgeAdd) % 2 ** 32;
}
