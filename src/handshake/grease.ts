/**
 * GREASE (RFC 8701): reserved values among the offers, so that peers which do not ignore what they do not know are found out while
 * there are few of them.
 *
 * Nothing here recognizes a value that comes back: it was never in the settings, and an answer that is not in the settings is
 * refused in any case (RFC 8701 3.1).
 */
import { empty } from '../bytes.js';
import type { CryptoBackend } from '../crypto/backend.js';
import type { Extension } from '../messages/index.js';
import type { ClientSettings } from './settings.js';

/** Drawn once for each connection: a second ClientHello says the same again (RFC 8446 4.1.2). */
export interface ClientGrease {
  readonly cipherSuite: number;
  readonly version: number;
  readonly group: number;
  readonly signatureScheme: number;
  /** Two that differ: no extension stands twice. */
  readonly extensions: readonly [number, number];
  readonly pskKeyExchangeMode: number;
  readonly alpnProtocol: Uint8Array;
  /** Whether the group has a key share; not where a HelloRetryRequest has asked for the share of another (RFC 8446 4.2.8). */
  readonly keyShare: boolean;
}

/** RFC 8701 3.1; `undefined` without. */
export function clientGrease({ grease, crypto }: ClientSettings): ClientGrease | undefined {
  if (!grease) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = crypto.randomBytes(8);
  const first = e % 16;
  return {
    cipherSuite: value(a),
    version: value(b),
    group: value(c),
    signatureScheme: value(d),
    extensions: [value(first), value(first + 1 + (f % 15))],
    // RFC 8701 2: these have one byte, and there are eight of them.
    pskKeyExchangeMode: 0x0b + 0x1f * (g % 8),
    alpnProtocol: new Uint8Array(2).fill(value(h) & 0xff),
    keyShare: true,
  };
}

/** The extensions of a ClientHello with all of it. */
export function withGrease(
  extensions: readonly Extension<'client_hello'>[],
  grease: ClientGrease,
): Extension<'client_hello'>[] {
  const [first, last] = grease.extensions;
  return [
    { type: first, data: empty },
    ...extensions.map((extension) => greased(extension, grease)),
    { type: last, data: Uint8Array.of(0) },
  ];
}

function greased(extension: Extension<'client_hello'>, grease: ClientGrease): Extension<'client_hello'> {
  const { type, data } = extension;
  switch (type) {
    case 'supported_groups':
      return { type, data: [grease.group, ...data] };
    case 'key_share':
      if (!grease.keyShare || data.length === 0) return extension;
      return { type, data: [{ group: grease.group, keyExchange: Uint8Array.of(0) }, ...data] };
    case 'supported_versions':
      return { type, data: [grease.version, ...data] };
    case 'signature_algorithms':
      return { type, data: [grease.signatureScheme, ...data] };
    case 'psk_key_exchange_modes':
      return { type, data: [...data, grease.pskKeyExchangeMode] };
    case 'application_layer_protocol_negotiation':
      return { type, data: [...data, grease.alpnProtocol] };
    default:
      return extension;
  }
}

/** RFC 8701 2: of two bytes, for suites, groups, schemes, versions and extensions. */
export function greaseValue(crypto: CryptoBackend): number {
  const [random = 0] = crypto.randomBytes(1);
  return value(random);
}

function value(random: number): number {
  return 0x0a0a + 0x1010 * (random % 16);
}
