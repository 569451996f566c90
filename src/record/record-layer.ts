/**
 * Both directions of the record layer (RFC 5246 6.2): plaintext payloads in, records out, and back.
 *
 * Handshake messages of one flight share records: they wait until something else is written, keys change or the output
 * is taken. What a peer may send is bounded by named limits.
 */
import { empty, join } from '../bytes.js';
import { AlertError } from '../errors.js';
import { contentTypes } from '../parameters.js';
import { maxPlaintextLength, recordHeaderLength, type RawRecord } from './deframer.js';
import type { RecordProtection } from './protection.js';

/** RFC 5246 6.2.1 lets application data be empty (traffic analysis); so many in a row are an attack. */
export const maxConsecutiveEmptyRecords = 32;

/** A record whose protection is taken off. */
export interface PlainRecord {
  readonly contentType: number;
  readonly payload: Uint8Array;
  /** Whether `payload` has an array of its own (it was decrypted), or is a view on the transport's bytes. */
  readonly owned: boolean;
}

export class RecordLayer {
  #output: Uint8Array[] = [];
  #flight: Uint8Array[] = [];
  #readProtection: RecordProtection | undefined;
  #writeProtection: RecordProtection | undefined;
  #emptyRecords = 0;
  /** RFC 5246 E.1: a first ClientHello travels in records of version 3.1, everything after in 3.3. */
  #version = 0x0301;

  /** From now on records carry version 3.3. */
  versionNegotiated(): void {
    this.flush();
    this.#version = 0x0303;
  }

  /** Takes the protection off a record. */
  open(record: RawRecord): PlainRecord {
    const { contentType } = record;
    const owned = this.#readProtection !== undefined;
    const payload = this.#readProtection?.open(contentType, record.fragment) ?? record.fragment;
    if (payload.length > maxPlaintextLength)
      throw new AlertError('record_overflow', `got ${String(payload.length)} bytes of plaintext in a record`);
    if (payload.length > 0) this.#emptyRecords = 0;
    else if (contentType !== contentTypes.application_data || !owned)
      throw new AlertError('unexpected_message', 'got an empty record');
    else if (++this.#emptyRecords > maxConsecutiveEmptyRecords)
      throw new AlertError('unexpected_message', `got more than ${String(maxConsecutiveEmptyRecords)} empty records`);
    return { contentType, payload, owned };
  }

  /** Queues a handshake message; messages of a flight share records. */
  writeHandshake(message: Uint8Array): void {
    this.#flight.push(message);
  }

  /** Writes a payload of another content type, in as many records as it needs. */
  write(contentType: number, payload: Uint8Array): void {
    this.flush();
    this.#writeRecords(contentType, payload);
  }

  /** RFC 5246 7.1: one byte of value 1. */
  writeChangeCipherSpec(): void {
    this.write(contentTypes.change_cipher_spec, Uint8Array.of(1));
  }

  /** The peer's next record is protected by this. */
  changeReadProtection(protection: RecordProtection): void {
    this.#readProtection?.destroy();
    this.#readProtection = protection;
  }

  /** Our next record is protected by this. */
  changeWriteProtection(protection: RecordProtection): void {
    this.flush();
    this.#writeProtection?.destroy();
    this.#writeProtection = protection;
  }

  /** Makes records of the handshake messages that wait for more of their flight. */
  flush(): void {
    if (this.#flight.length === 0) return;
    const flight = this.#flight;
    this.#flight = [];
    this.#writeRecords(contentTypes.handshake, joined(flight));
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
    this.#readProtection?.destroy();
    this.#writeProtection?.destroy();
    this.#readProtection = this.#writeProtection = undefined;
  }

  #writeRecords(contentType: number, payload: Uint8Array): void {
    for (let offset = 0; offset < payload.length || offset === 0; offset += maxPlaintextLength) {
      const plaintext =
        payload.length <= maxPlaintextLength ? payload : payload.subarray(offset, offset + maxPlaintextLength);
      const length = plaintext.length + (this.#writeProtection?.overhead ?? 0);
      const record = new Uint8Array(recordHeaderLength + length);
      record[0] = contentType;
      record[1] = this.#version >> 8;
      record[2] = this.#version & 0xff;
      record[3] = length >> 8;
      record[4] = length & 0xff;
      if (this.#writeProtection === undefined) record.set(plaintext, recordHeaderLength);
      else this.#writeProtection.seal(contentType, plaintext, record.subarray(recordHeaderLength));
      this.#output.push(record);
    }
  }
}

/** Joins parts, without a copy where there is one alone. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] ?? empty) : join(parts);
}
