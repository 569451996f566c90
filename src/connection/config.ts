/**
 * From options to settings: defaults filled in, mistakes refused before the first connection.
 *
 * Settings are frozen and serve any number of connections. Two servers share sessions only if they are given the same store
 * or ticket sealer, and even then a session crosses only where `applicationContext`, client authentication and server name
 * agree.
 */
import { empty } from '../bytes.js';
import { UsageError } from '../errors.js';
import { authenticationOf } from '../handshake/negotiate.js';
import type { ClientSettings, Credentials, ServerSettings, TicketCounts } from '../handshake/settings.js';
import { isPskSuite, tls12Suites } from '../key-schedule/suites.js';
import { signedCertificateTimestampList } from '../messages/index.js';
import { maximumSessionAge } from '../sessions/binding.js';
import { decodeOrUndefined } from '../sessions/decode.js';
import { sessionState } from '../sessions/session-state.js';
import { clientBinding, clientSessionKeys, serverBinding } from './binding-policy.js';
import {
  checkSigning,
  commonSettings,
  earlyDataPolicy,
  keyShareGroups,
  signatureSchemesOf,
  versionsWithSuites,
} from './common-settings.js';
import { hostName, wholeNumber } from './option-values.js';
import {
  defaultSessionLifetime,
  defaultSkippedEarlyData,
  defaultTicketLifetimeHint,
  type ClientOptions,
  type ServerOptions,
} from './options.js';

/** Settings of a client. Throws `UsageError` for options that cannot work. */
export function clientSettings(options: ClientOptions): ClientSettings {
  const { credentials = [], tickets = true, session = [], foreignSessions = [] } = options;
  const serverName = options.serverName === undefined ? undefined : hostName(options.serverName);
  const common = commonSettings(options, options.selectTls12Psk !== undefined);
  const signatureSchemes = signatureSchemesOf(common.signatureSchemes, common.versions, 'server');
  checkSigning(credentials);
  if (options.sessions !== undefined && options.peerIdentity === undefined && serverName === undefined)
    throw new UsageError('invalid_option', '`sessions` of a client needs `serverName` or `peerIdentity`');
  // P-bind-5: who is shown to the server is not known before it asks, and a session resumes as whoever that was.
  if (options.sessions !== undefined && options.chooseCredentials !== undefined && !options.applicationContext?.length)
    throw new UsageError('invalid_option', '`sessions` together with `chooseCredentials` needs `applicationContext`');
  const binding = clientBinding(options, common, signatureSchemes);
  const { applicationContext } = binding;
  return Object.freeze({
    ...common,
    signatureSchemes,
    binding,
    serverName,
    ...clientSessionKeys(options, common, serverName, applicationContext),
    offeredSessions: [
      ...('version' in session ? [session] : session),
      ...foreignSessions.map((foreign) => ({ ...foreign, applicationContext })),
    ],
    keyShareGroups: common.versions.includes('TLSv1.3') ? keyShareGroups(options.keyShareGroups, common.groups) : [],
    earlyData: options.earlyData ?? false,
    ticketRequest: options.ticketRequest && ticketCounts(options.ticketRequest),
    middleboxCompatibility: options.middleboxCompatibility ?? true,
    requestOcspResponse: options.requestOcspResponse ?? false,
    requestSignedCertificateTimestamps: options.requestSignedCertificateTimestamps ?? false,
    permuteExtensions: options.permuteExtensions ?? false,
    shapeClientHello: options.shapeClientHello,
    tickets,
    credentials,
    chooseCredentials: options.chooseCredentials,
    verifyCertificate: options.verifyCertificate,
    selectTls12Psk: options.selectTls12Psk,
    allowServersWithoutSecureRenegotiation: options.allowServersWithoutSecureRenegotiation ?? false,
  });
}

/** RFC 4279 2: psk_identity_hint<0..2^16-1>. */
function identityHint(hint = empty): Uint8Array {
  wholeNumber('tls12PskIdentityHint.length', hint.length, 2 ** 16 - 1);
  return hint;
}

/** RFC 9149 3: one byte each. */
function ticketCounts({ newSessionCount, resumptionCount }: TicketCounts): TicketCounts {
  return {
    newSessionCount: wholeNumber('ticketRequest.newSessionCount', newSessionCount, 255),
    resumptionCount: wholeNumber('ticketRequest.resumptionCount', resumptionCount, 255),
  };
}

/** Settings of a server. Throws `UsageError` for options that cannot work. */
export function serverSettings(options: ServerOptions): ServerSettings {
  const { credentials, clientAuthentication = 'none', certificateAuthorities = [] } = options;
  for (const each of credentials) checkCredentials(each);
  if (clientAuthentication !== 'none' && options.verifyCertificate === undefined)
    throw new UsageError('invalid_option', '`clientAuthentication` needs `verifyCertificate`');
  const common = commonSettings(options, options.findTls12Psk !== undefined);
  const hasPsks = common.externalPsks.some(({ role }) => role === 'server') || options.findExternalPsk !== undefined;
  if (credentials.length === 0 && !hasPsks && options.findTls12Psk === undefined)
    throw new UsageError('invalid_option', 'a server needs `credentials`, or external PSKs');
  const cipherSuites = common.cipherSuites.filter(
    (suite) =>
      isPskSuite(suite) ||
      credentials.some(({ signer }) => authenticationOf(signer.publicKey) === tls12Suites[suite].authentication),
  );
  // The PSKs of TLS 1.2 are of no use in TLS 1.3.
  const tls13CipherSuites = credentials.length > 0 || hasPsks ? common.tls13CipherSuites : [];
  const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' } = options;
  const versions = versionsWithSuites(minVersion, maxVersion, cipherSuites, tls13CipherSuites);
  if (versions.length === 0) throw new UsageError('invalid_option', 'no cipher suite fits the keys in `credentials`');
  checkSigning(credentials);
  return Object.freeze({
    ...common,
    signatureSchemes: signatureSchemesOf(common.signatureSchemes, versions, 'client'),
    versions,
    cipherSuites,
    tls13CipherSuites,
    binding: serverBinding({ ...options, ...horizon(options) }, { ...common, cipherSuites, tls13CipherSuites }),
    ticketCount: wholeNumber('ticketCount', options.ticketCount ?? 2, 255),
    maximumTicketCount: wholeNumber('maximumTicketCount', options.maximumTicketCount ?? 8, 255),
    ticketLifetime: ticketSeconds(options, 'ticketLifetime', maximumSessionAge / 1000),
    earlyData: options.earlyData && earlyDataPolicy(options.earlyData, options),
    findExternalPsk: options.findExternalPsk,
    findTls12Psk: options.findTls12Psk,
    tls12PskIdentityHint: identityHint(options.tls12PskIdentityHint),
    retryCookie: options.retryCookie,
    shapeEncryptedExtensions: options.shapeEncryptedExtensions,
    credentials,
    tickets: options.tickets,
    ticketEncoding: options.ticketEncoding ?? sessionState,
    ticketLifetimeHint: ticketSeconds(options, 'ticketLifetimeHint', 2 ** 32 - 1),
    renewTickets: options.renewTickets ?? 'when_key_rotated',
    sessionLifetime: wholeNumber('sessionLifetime', options.sessionLifetime ?? defaultSessionLifetime),
    clientAuthentication,
    certificateAuthorities,
    verifyCertificate: options.verifyCertificate,
    chooseSettings: options.chooseSettings,
    allowClientsWithoutSecureRenegotiation: options.allowClientsWithoutSecureRenegotiation ?? true,
    maximumSkippedEarlyData: wholeNumber(
      'maximumSkippedEarlyData',
      options.maximumSkippedEarlyData ?? defaultSkippedEarlyData,
      2 ** 32 - 1,
    ),
    revealUnknownPskIdentities: options.revealUnknownPskIdentities ?? false,
    retryForPreferredGroup: options.retryForPreferredGroup ?? false,
    alwaysMiddleboxCompatible: options.alwaysMiddleboxCompatible ?? false,
    acknowledgeServerName: options.acknowledgeServerName ?? true,
  });
}

/** RFC 9325 3.4: however often its ticket was renewed, a session does not resume past two periods of a ticket key. */
function horizon({ maximumSessionAge: age, tickets }: ServerOptions): Pick<ServerOptions, 'maximumSessionAge'> {
  const keyLife = tickets?.longestTicketLife?.() ?? Infinity;
  return { maximumSessionAge: age ?? Math.min(maximumSessionAge, Math.floor(2 * keyLife)) };
}

/** RFC 9325 3.4: no ticket is made to outlive the key that it is sealed with; what nobody asked for gives way to the key. */
function ticketSeconds(
  { tickets, ...options }: ServerOptions,
  option: 'ticketLifetime' | 'ticketLifetimeHint',
  maximum: number,
): number {
  const keyLife = (tickets?.longestTicketLife?.() ?? Infinity) / 1000;
  const byDefault = Math.min(defaultTicketLifetimeHint, Math.max(Math.floor(keyLife), 1));
  const seconds = wholeNumber(option, options[option] ?? byDefault, maximum);
  if (seconds <= keyLife) return seconds;
  throw new UsageError(
    'invalid_option',
    `\`${option}\` is ${String(seconds)} s, and a ticket key opens for ${String(Math.floor(keyLife))} s after it stopped sealing`,
  );
}

function checkCredentials({ certificates, ocspResponse, signedCertificateTimestamps }: Credentials): void {
  if (certificates.length === 0) throw new UsageError('invalid_option', 'credentials need a certificate');
  if (ocspResponse?.length === 0) throw new UsageError('invalid_option', '`ocspResponse` is empty');
  if (signedCertificateTimestamps === undefined) return;
  if (decodeOrUndefined(signedCertificateTimestampList, signedCertificateTimestamps) === undefined)
    throw new UsageError('invalid_option', '`signedCertificateTimestamps` is no SignedCertificateTimestampList');
}
