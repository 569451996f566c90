/**
 * Both directions of the record layer (RFC 5246 6.2, RFC 8446 5): plaintext payloads in, records out, and back.
 *
 * Handshake messages of one flight share records: they wait until something else is written, keys change or the output
 * is taken. What a peer may send is bounded by named limits.
 */
import { empty, join, wipe } from '../bytes.js';
import type { AeadAlgorithm, CryptoBackend } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { contentTypes } from '../parameters.js';
import { maxPlaintextLength, recordHeaderLength, type RawRecord } from './deframer.js';
import { maxInnerPlaintextLength, tls13Overhead, tls13Protection } from './protection-tls13.js';
import type { ProtectionKeys, RecordProtection, Unprotected } from './protection.js';

/** RFC 5246 6.2.1 lets application data be empty (traffic analysis); so many in a row are an attack. */
export const maxConsecutiveEmptyRecords = 32;

/** A record whose protection is taken off. */
export interface PlainRecord {
  readonly contentType: number;
  readonly payload: Uint8Array;
  /** Whether `payload` has an array of its own (it was decrypted), or is a view on the transport's bytes. */
  readonly owned: boolean;
}

/** RFC 8446 2 and 4.2.10: what a connection's keys are for. */
export type Epoch = 'early' | 'handshake' | 'application';

/** A traffic secret of TLS 1.3 (RFC 8446 7.1), and the keys that hang on it. */
export interface EpochSecret {
  readonly secret: Uint8Array;
  keys(aead: AeadAlgorithm): ProtectionKeys;
}

/** The keys of one direction in one epoch of TLS 1.3. */
export interface EpochKeys {
  readonly crypto: CryptoBackend;
  readonly aead: AeadAlgorithm;
  readonly secret: EpochSecret;
  /** See `tls13Protection`. */
  readonly paddingBlock: number;
  /** A client that could not make sense of our ServerHello has no keys to say so: its first record may be an alert in the clear. */
  readonly mayStartWithPlaintextAlert: boolean;
}

/** RFC 8446 4.2.10: how rejected early data is told from what follows it. */
interface Skipping {
  readonly until: 'second_client_hello' | 'record_that_opens';
  /** Bytes of early data that may still be dropped. */
  remaining: number;
}

const newArray = (length: number): Uint8Array => new Uint8Array(length);
/** More than any record holds, and small enough to take no room of its own. */
const unlimited = 2 ** 30;

export class RecordLayer {
  /** Changes whenever what follows must begin with a record of its own (RFC 8446 5.1). */
  readEpoch = 0;
  #output: Uint8Array[] = [];
  #flight: Uint8Array[] = [];
  #readProtection: RecordProtection | undefined;
  #writeProtection: RecordProtection | undefined;
  #emptyRecords = 0;
  /** RFC 5246 E.1, RFC 8446 5.1: a first ClientHello travels in records of version 3.1, everything else in 3.3. */
  #version = 0x0301;
  #writeLimit = unlimited;
  #readLimit = unlimited;
  #longestFragment = maxPlaintextLength;
  #skipping: Skipping | undefined;
  #plaintextAlert = false;
  #destroyed = false;
  readonly #allocate: (length: number) => Uint8Array;

  /** `allocate` gives the arrays that records are written into; what is in them does not matter. */
  constructor(allocate = newArray) {
    this.#allocate = allocate;
  }

  /** From now on records carry version 3.3. */
  versionNegotiated(): void {
    this.flush();
    this.#version = 0x0303;
  }

  /** Takes the protection off a record; `undefined` if it is early data to be dropped. */
  open(record: RawRecord): PlainRecord | undefined {
    const { contentType, fragment } = record;
    const protection = this.#readProtection;
    if (protection === undefined) {
      if (this.#skipping?.until === 'second_client_hello' && contentType === contentTypes.application_data) {
        this.#skip(fragment.length);
        return undefined;
      }
      return this.#checked({ contentType, payload: fragment, owned: false });
    }
    if (this.#isInTheClear(protection, contentType)) return { contentType, payload: fragment, owned: false };
    const skips = this.#skipping !== undefined && contentType === contentTypes.application_data;
    const opened = skips ? openOrUndefined(protection, record) : protection.open(contentType, fragment);
    if (opened === undefined) {
      this.#skip(fragment.length);
      return undefined;
    }
    if (skips) this.#skipping = undefined;
    if (protection.limitedLength(fragment.length) > this.#readLimit)
      throw new AlertError('record_overflow', 'got a record above the record_size_limit');
    return this.#checked({ ...opened, owned: true });
  }

  /** RFC 8446 D.4 and 5: what a TLS 1.3 peer may say without protection while keys are there already. */
  #isInTheClear(protection: RecordProtection, contentType: number): boolean {
    if (protection.typeLength === 0) return false;
    if (contentType === contentTypes.change_cipher_spec) return true;
    return contentType === contentTypes.alert && this.#plaintextAlert && protection.records === 0;
  }

  #checked(record: PlainRecord): PlainRecord {
    const { contentType, payload, owned } = record;
    if (payload.length > maxPlaintextLength)
      throw new AlertError('record_overflow', `got ${payload.length} bytes of plaintext in a record`);
    if (payload.length > 0) this.#emptyRecords = contentType === contentTypes.alert ? this.#emptyRecords : 0;
    else if (contentType !== contentTypes.application_data || !owned)
      throw new AlertError('unexpected_message', 'got an empty record');
    else if (++this.#emptyRecords > maxConsecutiveEmptyRecords)
      throw new AlertError('unexpected_message', `got more than ${maxConsecutiveEmptyRecords} empty records`);
    return record;
  }

  /** RFC 8446 4.2.10: early data was offered and will not be read; at most `limit` bytes of it are dropped. */
  skipEarlyData(until: Skipping['until'], limit: number): void {
    this.#skipping = { until, remaining: limit };
  }

  /** The second ClientHello is here, and no early data comes after it. */
  stopSkipping(): void {
    this.#skipping = undefined;
  }

  /** Counts what `max_early_data_size` does, as far as it shows from outside: a record's content, of which there is some. */
  #skip(fragmentLength: number): void {
    const length = Math.max(fragmentLength - tls13Overhead, 1);
    if (this.#skipping !== undefined && (this.#skipping.remaining -= length) >= 0) return;
    throw new AlertError('unexpected_message', 'got too much early data to skip');
  }

  /** RFC 8449 4: plaintext bytes a record, in TLS 1.3 with type and padding. `write` is the peer's limit, `read` our own. */
  limitRecordSize(write: number, read: number): void {
    this.#writeLimit = write;
    this.#readLimit = read;
  }

  /** Bytes of plaintext in a record of ours, protected or not, from now on. */
  limitFragments(longest: number): void {
    this.#longestFragment = longest;
  }

  /** Queues a handshake message; messages of a flight share records. */
  writeHandshake(message: Uint8Array): void {
    this.#flight.push(message);
  }

  /** Writes a payload of another content type, in as many records as it needs. */
  write(contentType: number, payload: Uint8Array): void {
    this.flush();
    this.#writeRecords(contentType, payload, this.#writeProtection);
  }

  /** RFC 5246 7.1: one byte of value 1. RFC 8446 5: never protected. */
  writeChangeCipherSpec(): void {
    this.flush();
    this.#writeRecords(contentTypes.change_cipher_spec, Uint8Array.of(1), undefined);
  }

  /** The peer's next record is protected by this. */
  changeReadProtection(protection: RecordProtection): void {
    this.#readProtection?.destroy();
    this.#readProtection = protection;
    this.endMessages();
  }

  /** RFC 8446 5.1: the message that was just received must be the last one in its record. */
  endMessages(): void {
    this.readEpoch++;
  }

  /** TLS 1.3: the peer's next record is under these keys. */
  changeReadKeys(_epoch: Epoch, keys: EpochKeys): void {
    this.#plaintextAlert = keys.mayStartWithPlaintextAlert;
    this.changeReadProtection(protectionOf(keys, this.#readLimit));
  }

  /** TLS 1.3: our next record is under these keys. */
  changeWriteKeys(_epoch: Epoch, keys: EpochKeys): void {
    this.changeWriteProtection(protectionOf(keys, this.#writeLimit));
  }

  /** RFC 8446 4.2.10: after a HelloRetryRequest to early data the next ClientHello is in the clear. */
  dropWriteProtection(): void {
    this.flush();
    this.#writeProtection?.destroy();
    this.#writeProtection = undefined;
  }

  /** Whether handshake messages of ours have not left yet. */
  get flightWaits(): boolean {
    return this.#flight.length > 0;
  }

  /** Forgets handshake messages of ours that have not left yet: after them keys have not changed. */
  dropFlight(): void {
    this.#flight = [];
  }

  /** Records sent under the present keys (RFC 8446 5.5). */
  get recordsWritten(): number {
    return this.#writeProtection?.records ?? 0;
  }

  /** Our next record is protected by this. */
  changeWriteProtection(protection: RecordProtection): void {
    try {
      this.flush();
    } catch (error) {
      protection.destroy();
      throw error;
    }
    this.#writeProtection?.destroy();
    this.#writeProtection = protection;
  }

  /** Makes records of the handshake messages that wait for more of their flight. */
  flush(): void {
    if (this.#flight.length === 0) return;
    const flight = this.#flight;
    this.#flight = [];
    // What a flow says that goes on until its next wait has no keys any more.
    if (this.#destroyed) return;
    this.#writeRecords(contentTypes.handshake, joined(flight), this.#writeProtection);
  }

  /** All bytes to be sent, once. Empty if there are none. */
  takeOutput(): Uint8Array {
    this.flush();
    const output = this.#output;
    this.#output = [];
    return joined(output);
  }

  /** Wipes the keys. Output that waits stays. */
  destroy(): void {
    this.flush();
    this.#destroyed = true;
    this.#readProtection?.destroy();
    this.#writeProtection?.destroy();
    this.#readProtection = this.#writeProtection = undefined;
  }

  #writeRecords(contentType: number, payload: Uint8Array, protection: RecordProtection | undefined): void {
    // RFC 8449 4: the limit is on protected records.
    const longest =
      protection === undefined
        ? this.#longestFragment
        : Math.min(this.#writeLimit - protection.typeLength, this.#longestFragment);
    const wireLength = (length: number) => recordHeaderLength + (protection?.sealedLength(length) ?? length);
    const whole = Math.max(0, Math.ceil(payload.length / longest) - 1);
    // One array for all records: they leave together.
    const output = this.#allocate(whole * wireLength(longest) + wireLength(payload.length - whole * longest));
    for (let at = 0, offset = 0; at < output.length; offset += longest) {
      const plaintext = payload.length <= longest ? payload : payload.subarray(offset, offset + longest);
      const end = at + wireLength(plaintext.length);
      const length = end - at - recordHeaderLength;
      output[at] = protection?.typeLength === 1 ? contentTypes.application_data : contentType;
      output[at + 1] = this.#version >> 8;
      output[at + 2] = this.#version & 0xff;
      output[at + 3] = length >> 8;
      output[at + 4] = length & 0xff;
      if (protection === undefined) output.set(plaintext, at + recordHeaderLength);
      else protection.seal(contentType, plaintext, output.subarray(at + recordHeaderLength, end));
      at = end;
    }
    this.#output.push(output);
  }
}

function protectionOf({ crypto, aead, secret, paddingBlock }: EpochKeys, limit: number): RecordProtection {
  const keys = secret.keys(aead);
  try {
    return tls13Protection(crypto, aead, keys, paddingBlock, Math.min(limit, maxInnerPlaintextLength));
  } finally {
    wipe(keys.key, keys.iv);
  }
}

/** `undefined` for a record under other keys. */
function openOrUndefined(protection: RecordProtection, { contentType, fragment }: RawRecord): Unprotected | undefined {
  try {
    return protection.open(contentType, fragment);
  } catch (error) {
    if (error instanceof AlertError && error.alert === 'bad_record_mac') return undefined;
    throw error;
  }
}

/** Joins parts, without a copy where there is one alone. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] ?? empty) : join(parts);
}
