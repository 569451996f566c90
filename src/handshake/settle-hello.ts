/**
 * What a server settles with a client before its ServerHello (RFC 8446 4.1.1): suite, PSK, group, application protocol, with a
 * HelloRetryRequest where the client has to send another key share or a cookie.
 *
 * The surprising thing: everything is decided on the first ClientHello, and a HelloRetryRequest only asks for the same again.
 */
import { empty, equal, wipe } from '../bytes.js';
import type { KeyExchangeGroup } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { tls13Suites, type Tls13CipherSuite } from '../key-schedule/suites.js';
import type { Tls13KeySchedule } from '../key-schedule/tls13.js';
import { findExtension, helloRetryRequestRandom, type Extension } from '../messages/index.js';
import { findPsk, verifyBinder, type FoundPsk, type PskSearch } from './find-psk.js';
import type { ServerHandshake } from './handshake-state.js';
import { fitting, isBytes } from './hooks.js';
import { receiveTls13, type Handshake } from './needs.js';
import { chooseProtocol } from './negotiate.js';
import {
  checkSecondHello,
  chooseGroup,
  commonPskModes,
  commonSuites,
  readTls13Hello,
  type Tls13Hello,
} from './negotiate-tls13.js';
import type { ResumptionRefusal } from './resumption.js';
import { putBack } from './taken-ticket.js';

/** What the ServerHello stands on. */
export interface SettledHello extends Choice {
  /** The ClientHello that is answered; not in the transcript yet. */
  readonly hello: Tls13Hello;
  /** From the PSK, whose binder is verified; `undefined` without one. */
  readonly earlySecret: Tls13KeySchedule | undefined;
  readonly alpnProtocol: string | undefined;
  readonly helloRetryRequest: boolean;
}

export function* settleHello(hs: ServerHandshake, first: Tls13Hello): Handshake<SettledHello> {
  const { settings } = hs;
  const suites = commonSuites(settings, first.body);
  const alpnProtocol = chooseProtocol(settings, first.info.alpnProtocols);
  if (settings.transport === 'quic') checkQuicHello(hs, first);
  const search = yield* searchPsk(hs, first, suites);
  const choice = choose(hs, first, suites, search);
  const answer = settings.retryCookie?.(first.info);
  const cookie = answer === undefined ? undefined : fitting('retryCookie', answer, isBytes);
  const helloRetryRequest = choice.retryGroup !== undefined || cookie !== undefined;
  const settled = helloRetryRequest
    ? yield* retryHello(hs, first, search, choice, cookie)
    : { ...choice, hello: first };
  return { ...settled, earlySecret: acceptPsk(hs, settled), alpnProtocol, helloRetryRequest };
}

/** RFC 8446 4.1.4: the same again with a key share that fits, or with the cookie. */
function* retryHello(
  hs: ServerHandshake,
  first: Tls13Hello,
  firstSearch: PskSearch,
  { cipherSuite, retryGroup }: Choice,
  cookie: Uint8Array | undefined,
): Handshake<Choice & Pick<SettledHello, 'hello'>> {
  // Nobody knows whether the client comes back.
  yield* putBack(hs);
  sendHelloRetryRequest(hs, first, cipherSuite, retryGroup, cookie);
  const hello = readTls13Hello(yield* receiveTls13('client_hello'));
  hs.transport.stopSkipping();
  checkSecondHello(first, hello, retryGroup, cookie);
  if (firstSearch.index !== undefined) checkPskKept(firstSearch, hello);
  // What was refused may be left out now: the first reason stands.
  const search = hello.offeredPsks !== undefined ? yield* searchPsk(hs, hello, [cipherSuite]) : firstSearch;
  const choice = choose(hs, hello, [cipherSuite], search);
  // Who was asked for a share has sent it: this one relied on a PSK without, and on a ticket that was good a moment ago.
  if (choice.retryGroup !== undefined)
    throw new AlertError('handshake_failure', 'the PSK is not good any more, and there is no key share');
  return { ...choice, hello };
}

/** RFC 8446 4.1.2: a second ClientHello may lack PSKs of another hash, and not the one that was chosen. */
function checkPskKept({ offered }: FoundPsk, { offeredPsks }: Tls13Hello): void {
  if (offeredPsks === undefined) throw new AlertError('missing_extension', 'got no pre_shared_key any more');
  if (!offeredPsks.identities.some(({ identity }) => equal(identity, offered.identity)))
    throw new AlertError('illegal_parameter', 'got no longer the PSK that was chosen');
}

/** RFC 9001 8.2 and 8.4. */
function checkQuicHello(hs: ServerHandshake, { body, quicTransportParameters }: Tls13Hello): void {
  if (body.legacySessionId.length > 0)
    throw new AlertError('illegal_parameter', 'got a session ID in QUIC', { code: 'quic_protocol_violation' });
  if (quicTransportParameters === undefined)
    throw new AlertError('missing_extension', 'got no quic_transport_parameters');
  hs.peerTransportParameters = quicTransportParameters.slice();
}

function* searchPsk(hs: ServerHandshake, hello: Tls13Hello, suites: readonly Tls13CipherSuite[]): Handshake<PskSearch> {
  const { offeredPsks, info } = hello;
  if (offeredPsks === undefined) return { reason: 'not_offered' };
  if (commonPskModes(hs.settings, hello).length === 0) return { reason: 'psk_mode_mismatch' };
  return yield* findPsk(hs, offeredPsks, suites, info.serverName);
}

/** What a ServerHello or HelloRetryRequest will say. */
interface Choice {
  readonly cipherSuite: Tls13CipherSuite;
  readonly psk: FoundPsk | undefined;
  readonly reason: ResumptionRefusal | undefined;
  /** Of the key exchange; `undefined` is psk_ke. */
  readonly group: KeyExchangeGroup | undefined;
  readonly share: Uint8Array;
  /** The group to ask for, where the client sent no share of it. */
  readonly retryGroup: KeyExchangeGroup | undefined;
}

/** RFC 8446 4.1.1: suite, PSK and group, each by our preference; a group that the client sent a share for saves a round trip. */
function choose(
  hs: ServerHandshake,
  hello: Tls13Hello,
  suites: readonly Tls13CipherSuite[],
  search: PskSearch,
): Choice {
  const [preferred] = suites;
  if (preferred === undefined) throw new AlertError('handshake_failure', 'no cipher suite in common');
  const psk = search.index === undefined ? undefined : search;
  const modes = commonPskModes(hs.settings, hello);
  const found = chooseGroup(hs.settings, hello);
  const withoutGroup = modes[0] === 'psk_ke' || (found === undefined && modes.includes('psk_ke'));
  if (psk !== undefined && withoutGroup) return { ...nothingChosen, cipherSuite: psk.cipherSuite, psk };
  if (found === undefined) {
    // R8446-4.2.9-7: only psk_ke does without.
    if (findExtension(hello.body.extensions, 'supported_groups') === undefined)
      throw new AlertError('missing_extension', 'got no supported_groups and key_share');
    throw new AlertError('handshake_failure', 'no group in common');
  }
  return {
    cipherSuite: psk?.cipherSuite ?? preferred,
    psk,
    reason: search.index === undefined ? search.reason : undefined,
    group: found.group,
    share: found.share ?? empty,
    retryGroup: found.share === undefined ? found.group : undefined,
  };
}

const nothingChosen = { reason: undefined, group: undefined, share: empty, retryGroup: undefined };

/** RFC 8446 4.2.11: the binder, and with it the ticket is used up. */
function acceptPsk(
  hs: ServerHandshake,
  { psk, hello }: Choice & Pick<SettledHello, 'hello'>,
): Tls13KeySchedule | undefined {
  if (psk === undefined || hello.offeredPsks === undefined) return undefined;
  const earlySecret = verifyBinder(hs, psk, hello.offeredPsks, hello.bytes);
  hs.taken = undefined;
  if (psk.session !== undefined) wipe(psk.key);
  return earlySecret;
}

/** RFC 8446 4.1.4. */
function sendHelloRetryRequest(
  hs: ServerHandshake,
  { bytes, body, offersEarlyData }: Tls13Hello,
  cipherSuite: Tls13CipherSuite,
  retryGroup: KeyExchangeGroup | undefined,
  cookie: Uint8Array | undefined,
): void {
  const { transcript, transport, settings } = hs;
  hs.negotiated('TLSv1.3');
  transport.endMessages();
  transcript.add(bytes);
  transcript.startRetry(tls13Suites[cipherSuite].hash);
  const extensions: Extension<'hello_retry_request'>[] = [];
  if (retryGroup !== undefined) extensions.push({ type: 'key_share', data: retryGroup });
  if (cookie !== undefined) extensions.push({ type: 'cookie', data: cookie });
  extensions.push({ type: 'supported_versions', data: 'TLSv1.3' });
  hs.sendTls13({
    type: 'hello_retry_request',
    body: {
      legacyVersion: 'TLSv1.2',
      random: helloRetryRequestRandom,
      legacySessionIdEcho: body.legacySessionId,
      cipherSuite,
      legacyCompressionMethod: 0,
      extensions,
    },
  });
  hs.sendCompatibilityChangeCipherSpec();
  if (offersEarlyData && settings.transport === 'tcp')
    transport.skipEarlyData('second_client_hello', skippableLength(hs));
}

/** RFC 8446 4.2.10: what may be dropped of early data that is not read. */
export function skippableLength({ settings }: ServerHandshake): number {
  return Math.max(settings.earlyData?.maxSize ?? 0, settings.maximumSkippedEarlyData);
}
