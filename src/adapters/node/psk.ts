/**
 * `pskCallback` of `node:tls`: external PSKs of TLS 1.3 (RFC 8446 4.2.11) under SHA-256, as OpenSSL has them, and those of TLS 1.2 (RFC
 * 5489) where `ciphers` names a suite for them.
 *
 * The surprising thing: nothing in such a PSK of TLS 1.3 tells client from server, so nobody may use one in both roles (RFC 9257 5.1).
 * `externalPsks` is the safe way, where the peer has the importer of RFC 9258.
 */
import type { ClientOptions, ExternalPskOptions, ServerOptions } from '../../connection/options.js';
import { UsageError } from '../../errors.js';
import type { ExternalPsk } from '../../handshake/settings.js';
import { shortestExternalKey } from '../../key-schedule/psk-importer.js';
import { isPskSuite, isTls12CipherSuite } from '../../key-schedule/suites.js';
import { parseCiphers } from './names.js';
import type { SecureOptions } from './options.js';
import type { TLSSocket } from './tls-socket.js';

/**
 * The PSK to offer, of at least 16 bytes; null for none, which ends a handshake of TLS 1.2. `hint` is the server's in TLS 1.2, and null
 * where it gives none and in TLS 1.3.
 */
export type ClientPskCallback = (
  hint: string | null,
) => { readonly psk: Uint8Array; readonly identity: string } | null | undefined;

/** The PSK of an identity, of at least 16 bytes; null for one that is not known. */
export type ServerPskCallback = (socket: TLSSocket, identity: string) => Uint8Array | null | undefined;

/** What a client offers in TLS 1.3. */
export function clientPsks(callback: ClientPskCallback | undefined): readonly ExternalPskOptions[] {
  const psk = askClient(callback, null);
  return psk === undefined ? [] : [{ ...psk, role: 'client', withoutImporter: true }];
}

/** What a client has in TLS 1.2: nothing unless a suite asks for it, as in `node:tls`. */
export function clientTls12Psks(
  options: SecureOptions & { readonly pskCallback?: ClientPskCallback },
): Pick<ClientOptions, 'selectTls12Psk'> {
  const { pskCallback } = options;
  if (pskCallback === undefined || !namesPskSuite(options)) return {};
  const decoder = new TextDecoder();
  return {
    selectTls12Psk: (hint) => askClient(pskCallback, hint.length === 0 ? null : decoder.decode(hint)),
  };
}

function askClient(callback: ClientPskCallback | undefined, hint: string | null) {
  const { psk: key, identity } = callback?.(hint) ?? {};
  return key === undefined ? undefined : { identity: new TextEncoder().encode(identity), key };
}

/** What a server has of that identity in TLS 1.3. */
export function serverPsk(
  callback: ServerPskCallback,
  socket: TLSSocket,
  identity: Uint8Array,
): ExternalPsk | undefined {
  const key = serverPskKey(callback, socket, identity);
  if (key === undefined) return undefined;
  if (key.length < shortestExternalKey)
    throw new UsageError('invalid_key', `an external PSK has at least ${shortestExternalKey} bytes`);
  return { identity, key, hash: 'sha256', kind: 'external', role: 'server' };
}

/** The key of that identity. Identities that are no text are not for the callback. */
export function serverPskKey(
  callback: ServerPskCallback,
  socket: TLSSocket,
  identity: Uint8Array,
): Uint8Array | undefined {
  const text = new TextDecoder().decode(identity);
  const key = text.includes('\ufffd') ? undefined : callback(socket, text);
  return key ?? undefined;
}

/** What a server has in TLS 1.2; each connection asks the callback with its own socket. */
export function serverTls12Psks(
  options: SecureOptions & { readonly pskCallback?: ServerPskCallback; readonly pskIdentityHint?: string },
): Pick<ServerOptions, 'findTls12Psk' | 'tls12PskIdentityHint'> {
  if (options.pskCallback === undefined || !namesPskSuite(options)) return {};
  const { pskIdentityHint: hint } = options;
  return {
    findTls12Psk: () => undefined,
    ...(hint !== undefined && { tls12PskIdentityHint: new TextEncoder().encode(hint) }),
  };
}

function namesPskSuite({ ciphers }: SecureOptions): boolean {
  if (ciphers === undefined) return false;
  return parseCiphers(ciphers).some((suite) => isTls12CipherSuite(suite) && isPskSuite(suite));
}
