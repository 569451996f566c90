/**
 * What one handshake holds between its lines, whatever its version: settings, randoms, transcript, and where messages and keys
 * go. Nothing here is secret.
 */
import { empty } from '../bytes.js';
import { AlertError } from '../errors.js';
import { Transcript } from '../key-schedule/transcript.js';
import { encodeHandshake, type HandshakeMessage, type HandshakeVersion } from '../messages/handshake.js';
import type { Epoch, EpochKeys } from '../record/record-layer.js';
import type { RecordProtection } from '../record/protection.js';
import type { clientSessionState, sessionState } from '../sessions/session-state.js';
import type { Staples, Tls13Session } from '../sessions/session.js';
import type { SessionStore } from '../sessions/store.js';
import { EarlyData } from './early-data.js';
import type { SignatureSchemeInRegistry } from '../parameters.js';
import type { PskBehind } from './psk-behind.js';
import type { ClientSettings, ServerSettings } from './settings.js';

/** Where a handshake's messages and keys go: the record layer, or a QUIC stack, seen from above. */
export interface HandshakeTransport {
  writeHandshake(message: Uint8Array): void;
  writeChangeCipherSpec(): void;
  versionNegotiated(): void;
  /** RFC 8446 5.1: the message just received was the last of its flight or its keys. */
  endMessages(): void;
  limitRecordSize(write: number, read: number): void;
  /** TLS 1.2. */
  changeReadProtection(protection: RecordProtection): void;
  changeWriteProtection(protection: RecordProtection): void;
  /** TLS 1.3. */
  changeReadKeys(epoch: Epoch, keys: EpochKeys): void;
  changeWriteKeys(epoch: Epoch, keys: EpochKeys): void;
  dropWriteProtection(): void;
  skipEarlyData(until: 'second_client_hello' | 'record_that_opens', limit: number): void;
  stopSkipping(): void;
}

/** An entry in a session store that stands or falls with this connection. */
export interface StoredSession {
  readonly store: SessionStore;
  readonly key: Uint8Array;
}

/** A ticket that was taken out of a store, as long as it may have to go back. */
export interface TakenTicket extends StoredSession {
  readonly session: Tls13Session;
  readonly encoding: OwnEncoding;
}

/** How it is written down there. */
export type OwnEncoding = typeof sessionState | typeof clientSessionState;

/** What the tickets of a TLS 1.3 connection remember of it (RFC 8446 4.6.1). */
export interface Resumable {
  /** When the full handshake was, milliseconds: a resumption passes it on. */
  readonly establishedAt: number;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  readonly peerCertificates: readonly Uint8Array[];
  readonly staples: Staples;
  readonly peerSignatureScheme: SignatureSchemeInRegistry | undefined;
  /** Of the external PSK behind it all, if there was one. */
  readonly behind: PskBehind;
}

export class HandshakeBase<Settings extends ClientSettings | ServerSettings> {
  readonly role: 'client' | 'server';
  settings: Settings;
  readonly transport: HandshakeTransport;
  readonly transcript: Transcript;
  clientRandom = empty;
  serverRandom = empty;
  /** Known as soon as a ServerHello or HelloRetryRequest is sent or read. */
  version: HandshakeVersion | undefined;
  /** What the peer signed with, once that is verified; of a resumed session what it signed with then. */
  peerSignatureScheme: SignatureSchemeInRegistry | undefined;
  readonly earlyData = new EarlyData();
  /** Once a TLS 1.3 handshake is complete; `undefined` where there are no tickets to be had. */
  resumable: Resumable | undefined;
  /** Server: our Finished is sent, and the client's is not here yet (RFC 8446 2, 4.4.4). */
  halfRttOpen = false;
  /** Server: how many tickets follow the handshake. */
  ticketsToSend = 0;
  /** QUIC: what the peer said, as soon as it is read (RFC 9001 8.2). */
  peerTransportParameters: Uint8Array | undefined;
  /** RFC 8446 D.4: whether this connection has to look like TLS 1.2 to middleboxes. */
  middleboxCompatibility = false;
  #changeCipherSpecSent = false;
  /**
   * The session that falls with this connection (RFC 5246 7.2.2). A server enters it only once the client has proven that it
   * knows the secret: anybody can send garbage under a session ID that he saw.
   */
  stored: StoredSession | undefined;

  constructor(role: 'client' | 'server', settings: Settings, transport: HandshakeTransport) {
    this.role = role;
    this.settings = settings;
    this.transport = transport;
    this.transcript = new Transcript(settings.crypto);
  }

  /** Encodes and sends a message, and adds it to the transcript. Returns its bytes. */
  send(message: HandshakeMessage<'TLSv1.2'>): Uint8Array {
    return this.sendBytes(encodeHandshake('TLSv1.2', message));
  }

  /** As {@link send}, with the messages of TLS 1.3. */
  sendTls13(message: HandshakeMessage<'TLSv1.3'>): Uint8Array {
    return this.sendBytes(encodeHandshake('TLSv1.3', message));
  }

  /** Sends an encoded message, and adds it to the transcript. */
  sendBytes(bytes: Uint8Array): Uint8Array {
    this.transcript.add(bytes);
    this.transport.writeHandshake(bytes);
    return bytes;
  }

  /** Sends a message that no transcript holds (RFC 8446 4.6). */
  sendAfterHandshake(message: HandshakeMessage<'TLSv1.3'>): void {
    this.transport.writeHandshake(encodeHandshake('TLSv1.3', message));
  }

  /** RFC 8446 D.4: once, before the second flight of ours or right after the first message. */
  sendCompatibilityChangeCipherSpec(): void {
    if (!this.middleboxCompatibility || this.#changeCipherSpecSent) return;
    this.#changeCipherSpecSent = true;
    this.transport.writeChangeCipherSpec();
  }

  negotiated(version: HandshakeVersion): void {
    this.version = version;
    this.transport.versionNegotiated();
  }
}

/** What a flow has set by the time that it is used; anything else is a mistake of ours. */
export function taken<T>(value: T | undefined): T {
  if (value === undefined) throw new AlertError('internal_error', 'a handshake step came before its time');
  return value;
}
