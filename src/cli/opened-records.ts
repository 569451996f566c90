/**
 * Opens the records of a TLS 1.3 connection with its key log (RFC 9850), for figures.
 *
 * No state of the handshake is followed: a record that the present secret does not open is tried with the ones that come after it,
 * under each suite that the secret fits. So a figure tells what was under which keys even where one side broke the rules.
 */
import { fromHex } from '../bytes.js';
import { hashLength, type CryptoBackend } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { tls13Suites } from '../key-schedule/suites.js';
import { TrafficSecret } from '../key-schedule/tls13.js';
import type { RawRecord } from '../record/deframer.js';
import { tls13Protection } from '../record/protection-tls13.js';
import type { RecordProtection, Unprotected } from '../record/protection.js';

/** What a connection's key log says, and who computes with it. */
export interface Secrets {
  readonly crypto: CryptoBackend;
  readonly keyLog: string;
}

/** As the figures of RFC 8446 2 mark them: `()` early, `{}` handshake, `[]` application keys. */
export type Marks = '()' | '{}' | '[]';

interface LoggedSecret {
  readonly marks: Marks;
  readonly secret: Uint8Array;
}

/** The records of one direction, in order. */
export class RecordOpener {
  readonly #crypto: CryptoBackend;
  #secrets: readonly LoggedSecret[];
  #present: { readonly marks: Marks; readonly protection: RecordProtection } | undefined;

  constructor({ crypto, keyLog }: Secrets, from: 'client' | 'server') {
    this.#crypto = crypto;
    this.#secrets = secretsOf(keyLog, from.toUpperCase());
  }

  /** `undefined` if none of the secrets fits. */
  open(record: RawRecord): (Unprotected & { readonly marks: Marks }) | undefined {
    const opened = this.#present && openWith(this.#present.protection, record);
    if (opened !== undefined && this.#present !== undefined) return { ...opened, marks: this.#present.marks };
    for (const [i, { marks, secret }] of this.#secrets.entries())
      for (const protection of this.#protections(secret)) {
        const first = openWith(protection, record);
        if (first === undefined) continue;
        this.#present = { marks, protection };
        this.#secrets = this.#secrets.slice(i + 1);
        return { ...first, marks };
      }
    return undefined;
  }

  #protections(secret: Uint8Array): RecordProtection[] {
    return Object.values(tls13Suites)
      .filter(({ hash }) => hashLength[hash] === secret.length)
      .map(({ aead, hash }) =>
        tls13Protection(this.#crypto, aead, new TrafficSecret(this.#crypto, hash, secret).keys(aead)),
      );
  }
}

function secretsOf(keyLog: string, side: string): LoggedSecret[] {
  const label = new RegExp(`^${side}_(EARLY_|HANDSHAKE_)?TRAFFIC_SECRET(?:_\\d+)? [0-9a-f]+ ([0-9a-f]+)$`, 'gm');
  return [...keyLog.matchAll(label)].map(([, epoch, secret = '']) => ({
    marks: epoch === 'EARLY_' ? '()' : epoch === 'HANDSHAKE_' ? '{}' : '[]',
    secret: fromHex(secret),
  }));
}

function openWith(protection: RecordProtection, { contentType, fragment }: RawRecord): Unprotected | undefined {
  try {
    return protection.open(contentType, fragment);
  } catch (error) {
    if (error instanceof AlertError) return undefined;
    throw error;
  }
}
