/** What every key exchange of TLS 1.2 here has in common: a group of ours, and a share that is good for something (RFC 8422 5.4, 5.11). */
import { wipe } from '../bytes.js';
import type { EcdheGroup, KeyShare } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import type { ServerEcdhParams } from '../messages/index.js';
import type { ClientHandshake, ServerHandshake } from './handshake-state.js';
import { ask, type Handshake } from './needs.js';
import type { ClientSettings } from './settings.js';

/** The group of the server's share, which must be one of those offered. */
export function offeredGroup({ ecdheGroups }: ClientSettings, { namedCurve }: ServerEcdhParams): EcdheGroup {
  const group = ecdheGroups.find((candidate) => candidate === namedCurve);
  if (group === undefined)
    throw new AlertError('illegal_parameter', `got group ${String(namedCurve)}, which was not offered`);
  return group;
}

/** A share that is forgotten whichever way the handshake ends. */
export function* generateKeyShare(hs: ClientHandshake | ServerHandshake, group: EcdheGroup): Handshake<KeyShare> {
  const keyShare = yield* ask('generate_key_share', { crypto: hs.settings.crypto, group });
  hs.atEnd(() => keyShare.destroy?.());
  return keyShare;
}

/** The shared secret, which is the caller's to wipe as soon as it has served. Our share has. */
export function* agree(
  hs: ClientHandshake | ServerHandshake,
  group: EcdheGroup,
  keyShare: KeyShare,
  peer: Uint8Array,
): Handshake<Uint8Array> {
  const secret = yield* ask('agree', { keyShare, peer });
  keyShare.destroy?.();
  hs.atEnd(() => wipe(secret));
  if (secret === undefined) throw new AlertError('illegal_parameter', `got a useless ${group} public key`);
  return secret;
}
