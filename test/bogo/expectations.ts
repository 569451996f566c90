/** What the runner wants to be true of a connection, beyond what it sees itself. */
import { readFileSync } from 'node:fs';
import { certificatesFromPem } from '../../src/adapters/x509/credentials.js';
import type { EarlyDataRefusal, HandshakeEvent } from '../../src/index.js';
import {
  cipherSuites,
  clientCertificateTypes,
  namedGroups,
  protocolVersions,
  signatureSchemes,
} from '../../src/messages/index.js';
import { type Configuration, Unimplemented } from './flags.js';
import type { Seen } from './options.js';

/** An expectation that was not met. */
export class Unmet extends Error {}

export function expect(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Unmet(`${what}: got ${String(got)}, expected ${String(wanted)}`);
}

/** As soon as the handshake is complete. */
export function checkHandshake(config: Configuration, event: HandshakeEvent, seen: Seen, isResumption: boolean): void {
  const is = (flag: keyof Configuration) => config[flag] === true;
  const given = (flag: keyof Configuration) => config[flag] !== undefined;
  // A PSK from elsewhere is no session.
  const reused = event.resumed && (event.pskKind === undefined || event.pskKind === 'resumption');
  expect('resumed', reused, isResumption && !is('expect-session-miss'));
  if (given('expect-version')) expect('version', protocolVersions[event.version], config['expect-version']);
  const suite = cipherSuites[event.cipherSuite];
  if (given('expect-cipher')) expect('cipher suite', suite, config['expect-cipher']);
  if (given('expect-cipher-aes')) expect('cipher suite', suite, config['expect-cipher-aes']);
  if (given('expect-curve-id')) expect('group', number(namedGroups, event.group), config['expect-curve-id']);
  if (is('expect-hrr')) expect('HelloRetryRequest', event.helloRetryRequest, true);
  if (is('expect-no-hrr')) expect('HelloRetryRequest', event.helloRetryRequest, false);
  if (is('expect-extended-master-secret')) expect('extended_master_secret', event.extendedMasterSecret, true);
  if (is('expect-secure-renegotiation')) expect('renegotiation_info', event.secureRenegotiation, true);
  if (given('expect-server-name')) expect('server_name', event.serverName, config['expect-server-name']);
  const protocol = is('server') ? config['select-alpn'] : config['expect-alpn'];
  expect('ALPN', event.alpnProtocol ?? '', protocol ?? '');
  if (given('expect-advertised-alpn'))
    expect('offered ALPN', wireList(seen.hello?.alpnProtocols ?? []), config['expect-advertised-alpn']);
  if (given('expect-peer-signature-algorithm'))
    expect(
      'signature scheme',
      number(signatureSchemes, event.peerSignatureScheme),
      config['expect-peer-signature-algorithm'],
    );
  checkRequest(config, seen);
  checkCredential(config, event, seen);
  checkCertificates(config, event, seen);
  checkStaples(config, event);
  checkEarlyData(config, event);
  if (is('server') && !isResumption) {
    if (is('expect-session-id')) expect('session stored', seen.stored === true, true);
    if (is('expect-no-session-id')) expect('session stored', seen.stored === true, false);
  }
  if (isResumption && given('expect-ticket-age-skew'))
    expect('ticket age skew', Math.round((event.ticketAgeSkew ?? 0) / 1000), config['expect-ticket-age-skew']);
}

function checkRequest(config: Configuration, { hello, request }: Seen): void {
  const prefs = config['expect-peer-verify-pref'];
  if (prefs !== undefined) {
    const schemes = (config.server === true ? hello : request)?.signatureSchemes ?? [];
    const numbers = schemes.map((scheme) => (typeof scheme === 'number' ? scheme : number(signatureSchemes, scheme)));
    expect('signature schemes of the peer', numbers.join(), prefs.join());
  }
  const types = config['expect-certificate-types'];
  if (types !== undefined) {
    const got = (request?.certificateTypes ?? []).map((type) =>
      typeof type === 'number' ? type : number(clientCertificateTypes, type),
    );
    expect('certificate types', got.join(), types.join());
  }
  const authorities = config['expect-client-ca-list'];
  if (authorities !== undefined) {
    const hex = (request?.certificateAuthorities ?? []).map((name) => Buffer.from(name).toString('hex'));
    expect('authorities', hex.join(), authorities.startsWith('<') ? '' : authorities);
  }
}

/** By its place among the flags: the PSK in use, or the chain that has signed. */
function checkCredential({ credentials, ...config }: Configuration, event: HandshakeEvent, seen: Seen): void {
  const wanted = config['expect-selected-credential'];
  if (wanted === undefined) return;
  const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');
  const psk = credentials.findIndex((flags) => hex(flags['psk-importer-identity']) === hex(event.externalPskIdentity));
  expect('credential', event.externalPskIdentity === undefined ? (seen.signedWith ?? -1) : psk, wanted);
}

function checkCertificates(config: Configuration, event: HandshakeEvent, seen: Seen): void {
  const { peerCertificates } = event;
  // What came was judged, and a wrong verdict that matters has ended the handshake before.
  if (config['expect-verify-result'] === true && !event.resumed && peerCertificates.length > 0)
    expect('verdicts', seen.verified, 1);
  const file = config['expect-peer-cert-file'];
  if (file !== undefined) {
    const wanted = certificatesFromPem(readFileSync(file)).map(({ raw }) => raw.toString('hex'));
    expect('certificates', peerCertificates.map((der) => Buffer.from(der).toString('hex')).join(), wanted.join());
  }
  const psk = config.psk !== undefined || config.credentials.some(({ kind }) => kind === 'psk');
  if (config['retain-only-sha256-client-cert'] === true && peerCertificates.length > 0)
    throw new Unimplemented('sessions that remember a digest of the certificate');
  if (config['expect-no-peer-cert'] === true) expect('number of certificates', peerCertificates.length, 0);
  else if (!psk && (config.server !== true || config['require-any-client-certificate'] === true))
    expect('certificates', peerCertificates.length > 0, true);
}

function checkStaples(config: Configuration, event: HandshakeEvent): void {
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
  const { 'expect-ocsp-response': ocsp, 'expect-signed-cert-timestamps': timestamps } = config;
  if (ocsp !== undefined) expect('OCSP response', hex(event.ocspResponse), hex(ocsp));
  if (timestamps !== undefined) expect('timestamps', hex(event.signedCertificateTimestamps), hex(timestamps));
}

/** Our reasons that BoringSSL's words stand for, on the side of a client and of a server. */
const reasons: Readonly<Record<string, readonly (EarlyDataRefusal | undefined)[]>> = {
  accept: [undefined],
  disabled: ['disabled', 'not_offered'],
  no_session_offered: ['not_offered'],
  unsupported_for_session: ['not_offered', 'limit'],
  session_not_resumed: ['psk_not_selected', 'declined_by_server', 'hello_retry_request'],
  peer_declined: ['declined_by_server', 'not_offered'],
  protocol_version: ['version_mismatch', 'declined_by_server', 'not_offered'],
  hello_retry_request: ['hello_retry_request', 'declined_by_server'],
  alpn_mismatch: ['alpn_mismatch', 'declined_by_server', 'not_offered'],
  ticket_age_skew: ['ticket_age', 'too_old_for_replay_window'],
};

function checkEarlyData(config: Configuration, { earlyData, earlyDataReason }: HandshakeEvent): void {
  if (config['expect-accept-early-data'] === true) expect('early data', earlyData, 'accepted');
  if (config['expect-reject-early-data'] === true) expect('early data', earlyData === 'accepted', false);
  if (config['expect-no-offer-early-data'] === true) expect('early data', earlyData, 'none');
  const wanted = config['expect-early-data-reason'];
  if (wanted !== undefined && reasons[wanted]?.includes(earlyDataReason) !== true)
    throw new Unmet(`early data: got reason ${String(earlyDataReason)}, expected ${wanted}`);
}

function number(table: Record<string, number>, name: string | undefined): number | undefined {
  return name === undefined ? undefined : table[name];
}

function wireList(names: readonly string[]): string {
  return names.map((name) => String.fromCharCode(name.length) + name).join('');
}
