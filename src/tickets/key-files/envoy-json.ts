/**
 * Envoy's `TlsSessionTicketKeys` (envoy.extensions.transport_sockets.tls.v3) with its keys in it, as protobuf writes JSON; also where it is
 * the one secret of a file of the secret discovery service. A key that is only named by its file is refused: such files are `envoy80`.
 */
import { isList, isRecord, parseJson } from './parse-json.js';
import { fromBase64, toBase64 } from '../../presentation/base64.js';
import type { KeyEntry } from './key-entry.js';

const nameLength = 16;
const partLength = 32;
const keyLength = nameLength + 2 * partLength;

/** The keys in the order of the file, or what is wrong with it. */
export function readEnvoyJson(text: string): readonly KeyEntry[] | string {
  const keys = keysOf(parseJson(text));
  if (keys === undefined)
    return 'expected JSON {"keys": [...]}, or {"resources": [{"session_ticket_keys": {"keys": [...]}}]} with one resource';
  const entries: KeyEntry[] = [];
  for (const [i, source] of keys.entries()) {
    const place = `key ${String(i + 1)}`;
    const text = isRecord(source) ? (source['inline_bytes'] ?? source['inlineBytes']) : undefined;
    if (typeof text !== 'string') return `${place} has no inline_bytes: a file or another source is not followed`;
    // Protobuf reads both alphabets, and padding may be left out.
    const key = fromBase64(padded(text.replaceAll('-', '+').replaceAll('_', '/')));
    if (key === undefined) return `${place}: inline_bytes is not base64`;
    if (key.length !== keyLength) return `got ${String(key.length)} bytes in ${place}, expected ${String(keyLength)}`;
    const parts = {
      name: key.subarray(0, nameLength),
      hmacKey: key.subarray(nameLength, nameLength + partLength),
      aesKey: key.subarray(nameLength + partLength),
    };
    entries.push({ index: i, place, parts, times: {} });
  }
  return entries;
}

/** Of the message alone, or in a response with this one resource. */
function keysOf(message: unknown): readonly unknown[] | undefined {
  if (!isRecord(message)) return undefined;
  const { keys, resources } = message;
  if (isList(keys)) return keys;
  if (!isList(resources) || resources.length !== 1) return undefined;
  const [secret] = resources;
  return isRecord(secret) ? keysOf(secret['session_ticket_keys'] ?? secret['sessionTicketKeys']) : undefined;
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Keys of 80 bytes as they stand in a file for Envoy. */
export function writeEnvoyJson(keys: readonly Uint8Array[]): string {
  return `${JSON.stringify({ keys: keys.map((key) => ({ inline_bytes: toBase64(key) })) }, undefined, 2)}\n`;
}
