/**
 * What one handshake holds between its lines: randoms, transcript, keys. The flows read like the RFC figure because the
 * steps that both roles share (send a message, change keys, Finished) are methods here.
 *
 * `destroy` wipes every secret; drivers see to it that it runs whichever way a handshake ends.
 */
import { empty, equalConstantTime, toHex, wipe } from '../bytes.js';
import { AlertError } from '../errors.js';
import {
  extendedMasterSecret,
  masterSecret,
  masterSecretLength,
  Tls12Secrets,
  wipeKeys,
} from '../key-schedule/tls12.js';
import { tls12Suites, type Tls12CipherSuite } from '../key-schedule/suites.js';
import { Transcript } from '../key-schedule/transcript.js';
import { encodeHandshake, type HandshakeMessage } from '../messages/handshake.js';
import { keySizes, tls12Protection, type RecordProtection } from '../record/protection.js';
import type { SessionStore } from '../sessions/store.js';
import { receive, type Handshake } from './needs.js';
import type { ClientSettings, ServerSettings } from './settings.js';

/** Where a handshake's messages and keys go: the record layer, seen from above. */
export interface HandshakeTransport {
  writeHandshake(message: Uint8Array): void;
  writeChangeCipherSpec(): void;
  versionNegotiated(): void;
  changeReadProtection(protection: RecordProtection): void;
  changeWriteProtection(protection: RecordProtection): void;
}

/** An entry in a session store that stands or falls with this connection. */
export interface StoredSession {
  readonly store: SessionStore;
  readonly key: Uint8Array;
}

export class HandshakeState<Settings extends ClientSettings | ServerSettings> {
  readonly role: 'client' | 'server';
  settings: Settings;
  readonly transport: HandshakeTransport;
  readonly transcript: Transcript;
  clientRandom = empty;
  serverRandom = empty;
  /**
   * The session that falls with this connection (RFC 5246 7.2.2). A server enters it only once the client has proven that it
   * knows the secret: anybody can send garbage under a session ID that he saw.
   */
  stored: StoredSession | undefined;
  #cipherSuite: Tls12CipherSuite | undefined;
  #masterSecret: Uint8Array | undefined;
  #secrets: Tls12Secrets | undefined;
  #readProtection: RecordProtection | undefined;
  #writeProtection: RecordProtection | undefined;

  constructor(role: 'client' | 'server', settings: Settings, transport: HandshakeTransport) {
    this.role = role;
    this.settings = settings;
    this.transport = transport;
    this.transcript = new Transcript(settings.crypto);
  }

  /** Encodes and sends a message, and adds it to the transcript. Returns its bytes. */
  send(message: HandshakeMessage<'TLSv1.2'>): Uint8Array {
    const bytes = encodeHandshake('TLSv1.2', message);
    this.transcript.add(bytes);
    this.transport.writeHandshake(bytes);
    return bytes;
  }

  /** The cipher suite is settled, and with it the hash of the transcript. */
  chooseCipherSuite(cipherSuite: Tls12CipherSuite): void {
    this.#cipherSuite = cipherSuite;
    this.transcript.start(tls12Suites[cipherSuite].hash);
    this.transport.versionNegotiated();
  }

  /** RFC 5246 8.1 or RFC 7627 4, after ClientKeyExchange; wipes the premaster secret. */
  enterPremasterSecret(premasterSecret: Uint8Array, extended: boolean): void {
    const { crypto } = this.settings;
    const { hash } = tls12Suites[this.cipherSuite];
    try {
      this.enterMasterSecret(
        extended
          ? extendedMasterSecret(crypto, hash, premasterSecret, this.transcript.digest())
          : masterSecret(crypto, hash, premasterSecret, this.clientRandom, this.serverRandom),
      );
    } finally {
      wipe(premasterSecret);
    }
  }

  /** RFC 5246 6.3: key block from the master secret and the two randoms. Takes the secret over: `destroy` wipes it. */
  enterMasterSecret(secret: Uint8Array): void {
    const { crypto, keyLog } = this.settings;
    // P-state-2: no connection stands on a secret that is missing or all zero.
    if (secret.length !== masterSecretLength || secret.every((byte) => byte === 0))
      throw new AlertError('internal_error', 'the master secret is unusable');
    const suite = tls12Suites[this.cipherSuite];
    this.#masterSecret = secret;
    this.#secrets = new Tls12Secrets(crypto, suite.hash, secret);
    const keys = this.#secrets.keyBlock(this.clientRandom, this.serverRandom, keySizes(suite.aead));
    const client = tls12Protection(crypto, suite.aead, keys.client);
    const server = tls12Protection(crypto, suite.aead, keys.server);
    wipeKeys(keys);
    [this.#writeProtection, this.#readProtection] = this.role === 'client' ? [client, server] : [server, client];
    keyLog?.(`CLIENT_RANDOM ${toHex(this.clientRandom)} ${toHex(secret)}`);
  }

  /** ChangeCipherSpec and Finished, RFC 5246 7.1 and 7.4.9. */
  sendFinished(): void {
    this.transport.writeChangeCipherSpec();
    this.transport.changeWriteProtection(taken(this.#writeProtection));
    this.#writeProtection = undefined;
    this.send({
      type: 'finished',
      body: { verifyData: this.#usable().verifyData(this.role, this.transcript.digest()) },
    });
  }

  /** The peer's Finished, after its ChangeCipherSpec was received. */
  *receiveFinished(): Handshake<void> {
    this.transport.changeReadProtection(taken(this.#readProtection));
    this.#readProtection = undefined;
    const finished = yield* receive('finished');
    const expected = this.#usable().verifyData(this.role === 'client' ? 'server' : 'client', this.transcript.digest());
    if (!equalConstantTime(finished.body.verifyData, expected))
      throw new AlertError('decrypt_error', 'got a Finished that does not verify');
    this.transcript.add(finished.bytes);
  }

  get cipherSuite(): Tls12CipherSuite {
    return taken(this.#cipherSuite);
  }

  /** A copy of the master secret, for a session that outlives the handshake. */
  masterSecretForSession(): Uint8Array {
    return taken(this.#masterSecret).slice();
  }

  /** RFC 5705 keying material. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    return this.#usable().exportKeyingMaterial(label, this.clientRandom, this.serverRandom, context, length);
  }

  /** The handshake is over: only what exporters need stays, and of messages no more than their randoms. */
  complete(): void {
    this.transcript.close();
    wipe(this.#masterSecret);
    this.#masterSecret = undefined;
    this.clientRandom = this.clientRandom.slice();
    this.serverRandom = this.serverRandom.slice();
  }

  /** Wipes what is secret. The protections in use belong to the record layer. */
  destroy(): void {
    wipe(this.#masterSecret);
    this.#secrets?.destroy();
    this.#readProtection?.destroy();
    this.#writeProtection?.destroy();
    this.#masterSecret = this.#secrets = this.#readProtection = this.#writeProtection = undefined;
  }

  #usable(): Tls12Secrets {
    return taken(this.#secrets);
  }
}

/** What a flow has set by the time that it is used; anything else is a mistake of ours. */
function taken<T>(value: T | undefined): T {
  if (value === undefined) throw new AlertError('internal_error', 'a handshake step came before its time');
  return value;
}

export type ClientHandshake = HandshakeState<ClientSettings>;
export type ServerHandshake = HandshakeState<ServerSettings>;
