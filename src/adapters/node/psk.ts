/**
 * `pskCallback` of `node:tls`: external PSKs of TLS 1.3 (RFC 8446 4.2.11) under SHA-256, as OpenSSL has them.
 *
 * The surprising thing: nothing in such a PSK tells client from server, so nobody may use one in both roles (RFC 9257 5.1).
 * `externalPsks` is the safe way, where the peer has the importer of RFC 9258.
 */
import type { ExternalPskOptions } from '../../connection/options.js';
import { UsageError } from '../../errors.js';
import type { ExternalPsk } from '../../handshake/settings.js';
import { shortestExternalKey } from '../../key-schedule/psk-importer.js';
import type { TLSSocket } from './tls-socket.js';

/** The PSK to offer, of at least 16 bytes; null to offer none. TLS 1.3 has no hint. */
export type ClientPskCallback = (hint: null) => { readonly psk: Uint8Array; readonly identity: string } | null;

/** The PSK of an identity, of at least 16 bytes; null for one that is not known. */
export type ServerPskCallback = (socket: TLSSocket, identity: string) => Uint8Array | null | undefined;

/** What a client offers. */
export function clientPsks(callback: ClientPskCallback | undefined): readonly ExternalPskOptions[] {
  const answer = callback?.(null);
  if (answer === undefined || answer === null) return [];
  const identity = new TextEncoder().encode(answer.identity);
  return [{ identity, key: answer.psk, role: 'client', withoutImporter: true }];
}

/** What a server has of that identity. Identities that are no text are not for the callback. */
export function serverPsk(
  callback: ServerPskCallback,
  socket: TLSSocket,
  identity: Uint8Array,
): ExternalPsk | undefined {
  const text = new TextDecoder().decode(identity);
  const key = text.includes('\ufffd') ? undefined : callback(socket, text);
  if (key === undefined || key === null) return undefined;
  if (key.length < shortestExternalKey)
    throw new UsageError('invalid_key', `an external PSK has at least ${shortestExternalKey} bytes`);
  return { identity, key, hash: 'sha256', kind: 'external', role: 'server' };
}
