/**
 * The client's first message, and the choice of flow by the server's (RFC 5246 7.4.1, RFC 8446 4.1).
 *
 * A ClientHello always looks the same whether or not a session is offered; only session ID, ticket and PSKs differ.
 */
import { empty } from '../bytes.js';
import type { KeyExchangeGroup, KeyShare } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import type { ServerHello } from '../messages/index.js';
import { sendClientHello, type ClientOffer, type OfferedPsk, type SentClientHello } from './client-hello.js';
import { findPsks, findTls12Session } from './client-sessions.js';
import { clientTls12 } from './client-tls12.js';
import { clientRetry, clientTls13 } from './client-tls13.js';
import { clientGrease } from './grease.js';
import type { ClientHandshake } from './handshake-state.js';
import { ask, receive, receiveTls13, type Handshake } from './needs.js';
import type { HandshakeResult } from './result.js';
import { selectedVersion } from './server-hello.js';
import type { ClientSettings } from './settings.js';

/** RFC 8446 2 figures 1 to 4; RFC 5246 7.3 figures 1 and 2, RFC 5077 3.1 figures 1 to 4, from the client's side. */
export function* clientHandshake(hs: ClientHandshake): Handshake<HandshakeResult> {
  const tls12 = yield* findTls12Session(hs);
  const psks = yield* findPsks(hs);
  const keyShares = new Map<KeyExchangeGroup, KeyShare>();
  try {
    yield* generateKeyShares(hs.settings, psks, keyShares);
    return yield* offerAndFollow(hs, { tls12, psks, keyShares });
  } finally {
    for (const { schedule } of psks) schedule.destroy();
    for (const keyShare of keyShares.values()) keyShare.destroy?.();
  }
}

function* offerAndFollow(
  hs: ClientHandshake,
  { tls12, psks, keyShares }: Pick<ClientOffer, 'tls12' | 'psks' | 'keyShares'>,
): Handshake<HandshakeResult> {
  const { versions, crypto } = hs.settings;
  hs.clientRandom = crypto.randomBytes(32);
  const earlyData = mayOfferEarlyData(hs.settings, psks);
  const sent = sendClientHello(hs, {
    tls12,
    psks,
    offersResumption: psks.length > 0 || tls12.session !== undefined,
    keyShares,
    earlyData,
    sessionId: sessionIdFor(hs.settings, tls12),
    grease: clientGrease(hs.settings),
    cookie: undefined,
    firstOrder: undefined,
  });
  // It is used now, whatever comes of it.
  hs.taken = undefined;
  if (!versions.includes('TLSv1.3')) return yield* clientTls12(hs, sent, yield* receive('server_hello'));
  hs.middleboxCompatibility = hs.settings.middleboxCompatibility && hs.settings.transport === 'tcp';
  if (earlyData) beginEarlyData(hs, psks);

  const answer = yield* receiveTls13('server_hello', 'hello_retry_request');
  if (answer.type === 'hello_retry_request') return yield* clientRetry(hs, sent, answer);
  if (selectedVersion(answer.body) !== undefined) return yield* clientTls13(hs, sent, answer, undefined);
  checkDowngrade(hs, sent, answer.body);
  return yield* clientTls12(hs, sent, answer);
}

/** RFC 8446 4.2.8: with psk_ke alone a share would be made for nothing; a server that declines asks for one. */
function* generateKeyShares(
  { crypto, keyShareGroups, pskKeyExchangeModes }: ClientSettings,
  psks: readonly OfferedPsk[],
  shares: Map<KeyExchangeGroup, KeyShare>,
): Handshake<void> {
  if (psks.length > 0 && !pskKeyExchangeModes.includes('psk_dhe_ke')) return;
  for (const group of keyShareGroups) shares.set(group, yield* ask('generate_key_share', { crypto, group }));
}

/** RFC 5077 3.4 and RFC 8446 D.4: made up beside a ticket, whose acceptance its echo tells, and for middleboxes. */
function sessionIdFor(settings: ClientSettings, { session }: ClientOffer['tls12']): Uint8Array {
  const { crypto, versions, middleboxCompatibility, transport } = settings;
  if (session?.ticket !== undefined) return crypto.randomBytes(32);
  if (session?.sessionId !== undefined) return session.sessionId;
  const compatible = versions.includes('TLSv1.3') && middleboxCompatibility && transport === 'tcp';
  return compatible ? crypto.randomBytes(32) : empty;
}

/** R8446-4.2.10-5, R8446-4.2.10-6: under the first PSK, with a suite and a protocol that are on offer. */
function mayOfferEarlyData(settings: ClientSettings, [first]: readonly OfferedPsk[]): boolean {
  const session = first?.session;
  if (!settings.earlyData || session === undefined || session.maxEarlyDataSize === 0) return false;
  const { alpnProtocol, serverName, transport } = session;
  if (serverName !== settings.serverName || transport !== settings.transport) return false;
  if (alpnProtocol !== undefined && !settings.alpnProtocols.includes(alpnProtocol)) return false;
  return settings.tls13CipherSuites.includes(session.cipherSuite);
}

/** RFC 8446 4.2.10: early data goes out under the suite of the ticket, whatever the server will choose. */
function beginEarlyData(hs: ClientHandshake, [first]: readonly OfferedPsk[]): void {
  const session = first?.session;
  if (first === undefined || session === undefined) return;
  const { tls13, transport, transcript } = hs;
  tls13.chooseCipherSuite(session.cipherSuite);
  tls13.enterEarlySecret(first.schedule);
  tls13.enterEarlyTraffic(transcript.digestUnder(first.hash));
  transport.versionNegotiated();
  hs.sendCompatibilityChangeCipherSpec();
  tls13.useEarlyKeys();
  hs.earlyData.offer(session.maxEarlyDataSize);
}

const downgradeMarkers = ['DOWNGRD\u0001', 'DOWNGRD\u0000'];

/** RFC 8446 4.1.3, D.3: what a ServerHello of an older version must not be. */
function checkDowngrade(hs: ClientHandshake, { earlyData }: SentClientHello, { random }: ServerHello): void {
  if (!hs.settings.versions.includes('TLSv1.2'))
    throw new AlertError('protocol_version', 'got a ServerHello of TLS 1.2 or below, expected TLS 1.3');
  if (downgradeMarkers.includes(String.fromCharCode(...random.subarray(24))))
    throw new AlertError('illegal_parameter', 'got a downgrade marker: the server speaks a newer version');
  if (earlyData)
    throw new AlertError('protocol_version', 'got TLS 1.2 in answer to early data: try again without early data');
}
