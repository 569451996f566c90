/**
 * What a TLS 1.2 connection stands on: the master secret, and the keys and Finished values made from it (RFC 5246 6.3, 7.4.9,
 * 8.1).
 */
import { equalConstantTime, toHex, wipe } from '../bytes.js';
import { concealed } from '../concealed.js';
import { AlertError, UsageError } from '../errors.js';
import { tls12Suites, type Tls12CipherSuite } from '../key-schedule/suites.js';
import {
  extendedMasterSecret,
  masterSecret,
  masterSecretLength,
  Tls12Secrets,
  wipeKeys,
} from '../key-schedule/tls12.js';
import { keySizes, tls12Protection, type RecordProtection } from '../record/protection.js';
import { taken, type HandshakeBase } from './handshake-base.js';
import { receive, type Handshake } from './needs.js';
import type { ClientSettings, ServerSettings } from './settings.js';

export class Tls12State {
  readonly #hs: HandshakeBase<ClientSettings | ServerSettings>;
  #cipherSuite: Tls12CipherSuite | undefined;
  #extended = false;
  #isFull = false;
  /** RFC 5929 3.1: of both Finished the first, 12 bytes. */
  #firstFinished: Uint8Array | undefined;
  #masterSecret: Uint8Array | undefined;
  #secrets: Tls12Secrets | undefined;
  #readProtection: RecordProtection | undefined;
  #writeProtection: RecordProtection | undefined;

  constructor(hs: HandshakeBase<ClientSettings | ServerSettings>) {
    this.#hs = hs;
  }

  /** The cipher suite is settled, and with it the hash of the transcript. */
  chooseCipherSuite(cipherSuite: Tls12CipherSuite): void {
    this.#cipherSuite = cipherSuite;
    this.#hs.negotiated('TLSv1.2');
    this.#hs.transcript.start(tls12Suites[cipherSuite].hash);
  }

  /** RFC 5246 8.1 or RFC 7627 4, after ClientKeyExchange; wipes the premaster secret. */
  enterPremasterSecret(premasterSecret: Uint8Array, extended: boolean): void {
    const { settings, transcript, clientRandom, serverRandom } = this.#hs;
    const { crypto } = settings;
    const { hash } = tls12Suites[this.cipherSuite];
    this.#isFull = true;
    try {
      this.enterMasterSecret(
        extended
          ? extendedMasterSecret(crypto, hash, premasterSecret, transcript.digest())
          : masterSecret(crypto, hash, premasterSecret, clientRandom, serverRandom),
        extended,
      );
    } finally {
      wipe(premasterSecret);
    }
  }

  /** RFC 5246 6.3: key block from the master secret and the two randoms. Takes the secret over: `destroy` wipes it. */
  enterMasterSecret(secret: Uint8Array, extended: boolean): void {
    const { settings, clientRandom, serverRandom, role } = this.#hs;
    const { crypto, keyLog } = settings;
    // P-state-2: no connection stands on a secret that is missing or all zero.
    if (secret.length !== masterSecretLength || secret.every((byte) => byte === 0))
      throw new AlertError('internal_error', 'the master secret is unusable');
    const suite = tls12Suites[this.cipherSuite];
    this.#extended = extended;
    this.#masterSecret = secret;
    this.#secrets = new Tls12Secrets(crypto, suite.hash, secret);
    const keys = this.#secrets.keyBlock(clientRandom, serverRandom, keySizes(suite.aead));
    const [writeKeys, readKeys] = role === 'client' ? [keys.client, keys.server] : [keys.server, keys.client];
    try {
      this.#writeProtection = tls12Protection(crypto, suite.aead, writeKeys);
      this.#readProtection = tls12Protection(crypto, suite.aead, readKeys);
    } finally {
      wipeKeys(keys);
    }
    keyLog?.(`CLIENT_RANDOM ${toHex(clientRandom)} ${toHex(secret)}`);
  }

  /** ChangeCipherSpec and Finished, RFC 5246 7.1 and 7.4.9. */
  sendFinished(): void {
    const { transport, transcript, role } = this.#hs;
    transport.writeChangeCipherSpec();
    transport.changeWriteProtection(taken(this.#writeProtection));
    this.#writeProtection = undefined;
    const verifyData = taken(this.#secrets).verifyData(role, transcript.digest());
    this.#firstFinished ??= verifyData;
    this.#hs.send({ type: 'finished', body: { verifyData } });
  }

  /** The peer's Finished, after its ChangeCipherSpec was received. */
  *receiveFinished(): Handshake<void> {
    const { transport, transcript, role } = this.#hs;
    transport.changeReadProtection(taken(this.#readProtection));
    this.#readProtection = undefined;
    const finished = yield* receive('finished');
    const expected = taken(this.#secrets).verifyData(role === 'client' ? 'server' : 'client', transcript.digest());
    if (!equalConstantTime(finished.body.verifyData, expected))
      throw new AlertError('decrypt_error', 'got a Finished that does not verify');
    this.#firstFinished ??= expected;
    transcript.add(finished.bytes);
  }

  get cipherSuite(): Tls12CipherSuite {
    return taken(this.#cipherSuite);
  }

  /** Wiped with the handshake, or later where exporters need it. */
  get masterSecret(): Uint8Array {
    return taken(this.#masterSecret);
  }

  /** A copy of the master secret, for a session that outlives the handshake. */
  masterSecretForSession(): Uint8Array {
    return concealed(taken(this.#masterSecret).slice());
  }

  /** RFC 5705 keying material; RFC 7627 5.4: none where the master secret is not bound to the handshake. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    if (!this.#extended)
      throw new UsageError('invalid_option', 'a connection without extended_master_secret exports no keying material');
    const { clientRandom, serverRandom } = this.#hs;
    const { crypto } = this.#hs.settings;
    const secrets = new Tls12Secrets(crypto, tls12Suites[this.cipherSuite].hash, taken(this.#masterSecret));
    try {
      return secrets.exportKeyingMaterial(label, clientRandom, serverRandom, context, length);
    } finally {
      secrets.destroy();
    }
  }

  /**
   * RFC 5929 3.1. RFC 7627 5.4: none of a session that was resumed without extended_master_secret, where two connections can have the
   * same one.
   */
  get tlsUnique(): Uint8Array {
    if (!this.#isFull && !this.#extended)
      throw new UsageError('invalid_option', 'a resumption without extended_master_secret has no tls-unique');
    return taken(this.#firstFinished).slice();
  }

  /** The handshake is over: only what exporters need stays, and that is the master secret itself: its HMAC states take a kilobyte. */
  complete(): void {
    this.#secrets?.destroy();
    this.#secrets = undefined;
    if (!this.#extended) wipe(this.#masterSecret);
  }

  /** Wipes what is secret. The protections in use belong to the record layer. */
  destroy(): void {
    wipe(this.#masterSecret);
    this.#secrets?.destroy();
    this.#readProtection?.destroy();
    this.#writeProtection?.destroy();
    this.#masterSecret = this.#secrets = this.#readProtection = this.#writeProtection = undefined;
  }
}
