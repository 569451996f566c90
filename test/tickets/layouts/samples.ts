/** The tickets of real servers in vectors/tickets, each with the layout it is said to have and the key that opens it. */
import { readdirSync } from 'node:fs';
import { fromHex } from '../../../src/bytes.js';
import type { TicketLayout } from '../../../src/tickets/layout.js';
import { gnutlsLayout } from '../../../src/tickets/layouts/gnutls.js';
import { go120Layout } from '../../../src/tickets/layouts/go.js';
import { jsse17Layout, jsse25Layout } from '../../../src/tickets/layouts/jsse.js';
import { mbedtlsLayout } from '../../../src/tickets/layouts/mbedtls.js';
import { opensslLayout } from '../../../src/tickets/layouts/openssl.js';
import { s2nLayout } from '../../../src/tickets/layouts/s2n.js';
import type { TicketKey } from '../../../src/tickets/ticket-key.js';
import { readVectors } from '../../support/vectors.js';

export interface Sample {
  readonly name: string;
  readonly server: string;
  readonly decodedFields: Readonly<Record<string, unknown>>;
  readonly layout: TicketLayout;
  readonly key: TicketKey;
  readonly ticket: Uint8Array;
  readonly state: Uint8Array;
  /** Master secret or PSK. */
  readonly secret: Uint8Array;
}

/** What this file reads of a sample. */
interface SampleFile {
  readonly server: string;
  readonly envelope: string;
  readonly ticketHex: string;
  readonly plaintextHex: string;
  readonly masterSecretOrPskHex: string;
  readonly decodedFields: Readonly<Record<string, unknown>>;
  readonly keyNameHex?: string;
  readonly keyId?: number;
  readonly aesKeyHex?: string;
  readonly hmacKeyHex?: string;
  readonly ticketKeyHex?: string;
}

const directory = new URL('../../../vectors/tickets/', import.meta.url);

/** By `envelope`, word for word: a file that says anything else fails. */
const layouts: Readonly<Record<string, TicketLayout>> = {
  'name16|iv16|aes-cbc|hmac-sha256': opensslLayout,
  'name16|iv16|aes-128-cbc|hmac-sha256': opensslLayout,
  'name16|iv16|aes-128-ctr|hmac-sha256': go120Layout,
  'name16|iv16|len2|aes-256-cbc (zero padded)|hmac-sha1(20)': gnutlsLayout,
  '01|name16|info32|iv12|aes-256-gcm|tag16; per-ticket key = HKDF(aes, info); AAD = implicit12|name16': s2nLayout,
  'keyid4|iv16|aes-256-gcm|tag16, AAD keyid4': jsse17Layout,
  'keyid4|iv16|compressed1|aes-256-gcm|tag16, AAD empty': jsse25Layout,
  'name4|iv12|len2|aes-256-gcm|tag16; AAD = name|iv|len': mbedtlsLayout,
};

/** Its tickets were captured through a callback of the application: no key opens them. */
export const unopenable = 'wolfSSL';

const files = readdirSync(directory)
  .filter((file) => file.endsWith('.json') && !file.includes('matrix'))
  .map((file) => ({ name: file.replace('.json', ''), data: readVectors(`tickets/${file}`) as SampleFile }));

export const samples: readonly Sample[] = files
  .filter(({ data }) => data.server !== unopenable)
  .map(({ name, data }) => {
    const layout = layouts[data.envelope];
    if (layout === undefined) throw new Error(`${name}: no layout for ${data.envelope}`);
    const { server, decodedFields } = data;
    const [ticket, state] = [fromHex(data.ticketHex), fromHex(data.plaintextHex)];
    const secret = fromHex(data.masterSecretOrPskHex);
    return { name, server, decodedFields, layout, key: keyOf(data), ticket, state, secret };
  });

export const unopenableSamples = files
  .filter(({ data }) => data.server === unopenable)
  .map(({ name, data }) => ({
    name,
    keyName: fromHex(data.keyNameHex ?? ''),
    ticket: fromHex(data.ticketHex),
    state: fromHex(data.plaintextHex),
  }));

function keyOf({ keyNameHex, keyId, aesKeyHex = '', hmacKeyHex, ticketKeyHex }: SampleFile): TicketKey {
  const name = keyNameHex === undefined ? bigEndian(keyId ?? 0) : fromHex(keyNameHex);
  if (hmacKeyHex !== undefined) return { name, aesKey: fromHex(aesKeyHex), hmacKey: fromHex(hmacKeyHex) };
  return { name, secret: fromHex(ticketKeyHex ?? aesKeyHex) };
}

/** Java counts keys in signed integers. */
function bigEndian(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, number);
  return bytes;
}
