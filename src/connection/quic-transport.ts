/**
 * Where a handshake's messages and secrets go in QUIC, in place of a record layer (RFC 9001 4.1.3, 4.1.4).
 *
 * The surprising thing: levels of reading and writing change with the secrets, but for early data, which has no handshake bytes.
 */
import { join, wipe } from '../bytes.js';
import { concealed } from '../concealed.js';
import { AlertError } from '../errors.js';
import type { HandshakeTransport } from '../handshake/handshake-base.js';
import type { Epoch, EpochKeys } from '../record/record-layer.js';

/** RFC 9001 2.1. */
export type EncryptionLevel = 'initial' | Epoch;

/** Bytes for CRYPTO frames of one level. */
export interface CryptoData {
  readonly level: EncryptionLevel;
  readonly data: Uint8Array;
}

/** A secret that has come up, copied. */
export interface LevelSecret {
  readonly level: Epoch;
  readonly direction: 'read' | 'write';
  readonly secret: Uint8Array;
}

const unneeded = (): void => undefined;

export class QuicTransport implements HandshakeTransport {
  readLevel: EncryptionLevel = 'initial';
  #writeLevel: EncryptionLevel = 'initial';
  #output: { level: EncryptionLevel; messages: Uint8Array[] }[] = [];
  #secrets: LevelSecret[] = [];

  writeHandshake(message: Uint8Array): void {
    const last = this.#output.at(-1);
    if (last?.level === this.#writeLevel) last.messages.push(message);
    else this.#output.push({ level: this.#writeLevel, messages: [message] });
  }

  takeOutput(): CryptoData[] {
    const output = this.#output;
    this.#output = [];
    return output.map(({ level, messages }) => ({ level, data: join(messages) }));
  }

  /** Secrets that have come up since the last call, in order; the caller's to wipe. */
  takeSecrets(): LevelSecret[] {
    const secrets = this.#secrets;
    this.#secrets = [];
    return secrets;
  }

  changeReadKeys(level: Epoch, { secret }: EpochKeys): void {
    this.#secrets.push({ level, direction: 'read', secret: concealed(secret.secret.slice()) });
    if (level !== 'early') this.readLevel = level;
  }

  changeWriteKeys(level: Epoch, { secret }: EpochKeys): void {
    this.#secrets.push({ level, direction: 'write', secret: concealed(secret.secret.slice()) });
    if (level !== 'early') this.#writeLevel = level;
  }

  /** Forgets what nobody has taken. */
  clear(): void {
    this.#output = [];
    for (const { secret } of this.takeSecrets()) wipe(secret);
  }

  // QUIC has its own ways for the rest (RFC 9001 4, 6, 8.4), and TLS 1.2 never runs on it.
  readonly writeChangeCipherSpec = unneeded;
  readonly versionNegotiated = unneeded;
  readonly endMessages = unneeded;
  readonly limitRecordSize = unneeded;
  readonly dropWriteProtection = unneeded;
  readonly skipEarlyData = unneeded;
  readonly stopSkipping = unneeded;

  changeReadProtection(): never {
    throw new AlertError('internal_error', 'QUIC has no record protection');
  }
  changeWriteProtection(): never {
    throw new AlertError('internal_error', 'QUIC has no record protection');
  }
}
