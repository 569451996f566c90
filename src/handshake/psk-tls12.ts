/**
 * ECDHE_PSK of TLS 1.2, both sides (RFC 5489 2; RFC 4279 2 for identity and hint): the shares are not signed, the PSK goes into the
 * premaster secret. No certificate is shown and none is asked for.
 *
 * The surprising thing: a server tells nobody that it does not know an identity, but goes on under a random key, as RFC 4279 2
 * allows. The peer's Finished then fails as it does under a wrong key, so nobody learns which identities there are.
 */
import { wipe } from '../bytes.js';
import type { EcdheGroup } from '../crypto/backend.js';
import { AlertError, UsageError } from '../errors.js';
import { shortestExternalKey } from '../key-schedule/psk-importer.js';
import { pskPremasterSecret } from '../key-schedule/tls12.js';
import { pskHandshakeMessages } from '../messages/index.js';
import { agree, generateKeyShare, offeredGroup } from './ecdhe-tls12.js';
import type { ClientHandshake, ServerHandshake } from './handshake-state.js';
import { fitting, isBytes } from './hooks.js';
import { ask, receive, receivePsk, type Handshake } from './needs.js';
import { pskBehind, type PskBehind } from './psk-behind.js';
import type { ClientSettings, ServerSettings, Tls12Psk } from './settings.js';

/** What a client's key exchange came to. */
export interface SelectedPsk {
  readonly group: EcdheGroup;
  readonly behind: PskBehind;
  /** What it was selected by; empty: the server gave none. */
  readonly identityHint: Uint8Array;
}

/** From ServerKeyExchange to ClientKeyExchange, and into the keys. */
export function* clientPskKeyExchange(hs: ClientHandshake, extendedMasterSecret: boolean): Handshake<SelectedPsk> {
  const { settings, transcript } = hs;
  const { body, bytes } = yield* receivePsk('server_key_exchange');
  transcript.add(bytes);
  const group = offeredGroup(settings, body.params);
  const done = yield* receive('server_hello_done');
  transcript.add(done.bytes);

  const psk = yield* selectPsk(settings, body.pskIdentityHint);
  if (psk === undefined) throw new AlertError('handshake_failure', 'no PSK was selected for this server');
  const keyShare = yield* generateKeyShare(hs, group);
  const { identity, key } = psk;
  const ours = { pskIdentity: identity, public: keyShare.publicKey };
  const message = pskHandshakeMessages.encode({ type: 'client_key_exchange', body: ours });
  const secret = yield* agree(hs, group, keyShare, body.params.public);
  hs.sendBytes(message);
  enterSecrets(hs, secret, key, extendedMasterSecret);
  return { group, behind: pskBehind(settings.crypto, psk), identityHint: body.pskIdentityHint.slice() };
}

/** From ServerKeyExchange to ClientKeyExchange, and into the keys. Answers whose it is, which only the client's Finished will prove. */
export function* serverPskKeyExchange(
  hs: ServerHandshake,
  group: EcdheGroup,
  extendedMasterSecret: boolean,
): Handshake<PskBehind> {
  const { settings, transcript } = hs;
  const { crypto, tls12PskIdentityHint: pskIdentityHint } = settings;
  const keyShare = yield* generateKeyShare(hs, group);
  const params = { curveType: 'named_curve', namedCurve: group, public: keyShare.publicKey } as const;
  hs.sendBytes(pskHandshakeMessages.encode({ type: 'server_key_exchange', body: { pskIdentityHint, params } }));
  transcript.release();
  hs.send({ type: 'server_hello_done', body: {} });

  const { body, bytes } = yield* receivePsk('client_key_exchange');
  transcript.add(bytes);
  const identity = body.pskIdentity.slice();
  const key = (yield* findPskKey(settings, identity)) ?? crypto.randomBytes(unknownKeyLength);
  const secret = yield* agree(hs, group, keyShare, body.public);
  enterSecrets(hs, secret, key, extendedMasterSecret);
  return pskBehind(crypto, { identity, key });
}

/** Any length will do: nobody has that key. */
const unknownKeyLength = 32;

/** RFC 5489 2. The PSK stays the caller's. */
function enterSecrets(
  hs: ClientHandshake | ServerHandshake,
  ecdheSecret: Uint8Array,
  psk: Uint8Array,
  extendedMasterSecret: boolean,
): void {
  const premasterSecret = pskPremasterSecret(ecdheSecret, psk);
  wipe(ecdheSecret);
  hs.tls12.enterPremasterSecret(premasterSecret, extendedMasterSecret);
}

/** Client: the PSK for that hint, or `undefined`. */
export function* selectPsk(settings: ClientSettings, identityHint: Uint8Array): Handshake<Tls12Psk | undefined> {
  const { selectTls12Psk: select } = settings;
  const psk = select && (yield* ask('select_tls12_psk', { select, identityHint }));
  if (psk === undefined) return undefined;
  checkKey(settings, fitting('selectTls12Psk', psk, isPsk).key);
  return psk;
}

function isPsk(psk: unknown): boolean {
  const { identity, key }: Partial<Record<keyof Tls12Psk, unknown>> = typeof psk === 'object' ? { ...psk } : {};
  return isBytes(identity) && isBytes(key);
}

/** Server: the key of that identity, or `undefined`. */
export function* findPskKey(settings: ServerSettings, identity: Uint8Array): Handshake<Uint8Array | undefined> {
  const { findTls12Psk: lookup } = settings;
  const key = lookup && (yield* ask('find_tls12_psk', { lookup, identity }));
  if (key !== undefined) checkKey(settings, fitting('findTls12Psk', key, isBytes));
  return key;
}

/** R9257-6-1. */
function checkKey({ allowShortTls12Psks }: ClientSettings | ServerSettings, key: Uint8Array): void {
  const shortest = allowShortTls12Psks ? 1 : shortestExternalKey;
  if (key.length < shortest) throw new UsageError('invalid_key', `a PSK has at least ${shortest} bytes`);
}
