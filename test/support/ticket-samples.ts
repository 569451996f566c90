/** The tickets of real servers in vectors/tickets. */
import { readdirSync } from 'node:fs';
import { readVectors } from './vectors.js';

/** One ticket and all that is known of it. Which fields there are depends on the server. */
export interface TicketSample {
  readonly server: string;
  readonly tlsVersion: '1.2' | '1.3';
  readonly keyNameHex: string;
  readonly aesKeyHex: string;
  readonly hmacKeyHex: string;
  readonly keyFileHex?: string;
  readonly keyFileLayout?: string;
  readonly sessionTicketKeyHex?: string;
  readonly initialKeyHex?: string;
  readonly totpStep?: number;
  readonly ticketHex: string;
  readonly plaintextHex: string;
  readonly decodedFields: Readonly<Record<string, unknown>>;
  readonly masterSecretOrPskHex: string;
}

/** All samples by the names of their files. */
export function ticketSamples(): readonly (readonly [name: string, sample: TicketSample])[] {
  const folder = new URL('../../vectors/tickets/', import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json') && !file.endsWith('-matrix.json'))
    .sort()
    .map((file) => [file.replace('.json', ''), readVectors(`tickets/${file}`) as TicketSample]);
}
