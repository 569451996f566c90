/**
 * As `floor.ts`, of TLS 1.3: with a PSK 26 HMACs under 14 keys at each end (RFC 8446 7.1), without one the early secret is a
 * constant. Exporter secrets are left out: nobody needs them before something is exported.
 */
import {
  aeadKeyLength,
  aeadTagLength,
  hashLength,
  type AeadKey,
  type CryptoBackend,
  type HmacKey,
} from '../src/crypto/backend.js';
import { tls13Suites } from '../src/key-schedule/suites.js';
import type { Tls13CipherSuite } from '../src/index.js';
import { privateKey } from './credentials.js';
import { now } from './floor.js';
import { earlyRequest, type Kind } from './handshakes.js';

export type Tls13Kind = Exclude<Kind, 'session_id' | 'ticket'>;

const nonce = new Uint8Array(12);
const initializationVector = new Uint8Array(16);
const additionalData = new Uint8Array(5);
const clientHello = { withoutPsk: new Uint8Array(190), withPsk: new Uint8Array(460) };
const serverHello = new Uint8Array(130);
const certificateMessages = new Uint8Array(380 + 80);
const encryptedExtensions = new Uint8Array(10);
const finished = new Uint8Array(36);
const resumedFlight = new Uint8Array(encryptedExtensions.length + finished.length);
const fullFlight = new Uint8Array(certificateMessages.length + resumedFlight.length);
const endOfEarlyData = new Uint8Array(4);
const ticketState = new Uint8Array(144);
const ticketMessage = new Uint8Array(230);
const twoTickets = new Uint8Array(2 * ticketMessage.length);
/** What a CertificateVerify signs (RFC 8446 4.4.3). */
const signed = new Uint8Array(64 + 33 + 1 + 32);
const algorithm = { kind: 'ecdsa', hash: 'sha256' } as const;
/** HkdfLabel with a transcript hash, and without. */
const deriveLabel = new Uint8Array(2 + 1 + 18 + 1 + 32);
const expandLabel = new Uint8Array(2 + 1 + 9 + 1);
const counter = Uint8Array.of(1);

export function tls13HandshakeFloor(crypto: CryptoBackend, suite: Tls13CipherSuite, kind: Tls13Kind): () => void {
  const { hash, aead } = tls13Suites[suite];
  const zeros = new Uint8Array(hashLength[hash]);
  const zeroKey = crypto.hmac(hash, zeros);
  const signer = crypto.signer(privateKey());
  const cbc = crypto.cbc(new Uint8Array(16).fill(1));
  const mac = crypto.hmac('sha256', zeros);
  const resumes = kind !== 'full';
  const agrees = kind !== 'psk_ke';
  const early = kind === '0-RTT';
  const tickets = resumes ? 1 : 2;
  const hello = resumes ? clientHello.withPsk : clientHello.withoutPsk;

  const derive = (key: HmacKey) => key.compute(deriveLabel, counter);
  const next = (key: HmacKey, secret: Uint8Array) => {
    key.destroy();
    return crypto.hmac(hash, secret);
  };
  /** RFC 8446 7.3: key and IV, and nothing else than records. */
  const protection = (traffic: HmacKey): AeadKey => {
    const key = traffic.compute(expandLabel, counter);
    traffic.compute(expandLabel, counter);
    return crypto.aead(aead, key.subarray(0, aeadKeyLength[aead]));
  };
  const finishedMac = (traffic: HmacKey, transcriptHash: Uint8Array) => {
    const key = crypto.hmac(hash, traffic.compute(expandLabel, counter));
    key.compute(transcriptHash);
    key.destroy();
  };

  const oneEnd = (sharedSecret: Uint8Array, record: (key: AeadKey, plaintext: Uint8Array) => void) => {
    crypto.randomBytes(32);
    const transcript = crypto.runningHash(hash);
    let stage: HmacKey = zeroKey;
    if (resumes) {
      stage = crypto.hmac(hash, zeroKey.compute(zeros));
      const binderKey = crypto.hmac(hash, derive(stage));
      finishedMac(binderKey, crypto.hash(hash, hello));
      binderKey.destroy();
    }
    transcript.update(hello);
    if (early) {
      transcript.snapshot();
      const traffic = crypto.hmac(hash, derive(stage));
      const key = protection(traffic);
      record(key, earlyRequest);
      record(key, endOfEarlyData);
      key.destroy();
      traffic.destroy();
    }
    transcript.update(serverHello);
    transcript.snapshot();
    if (resumes) stage = next(stage, derive(stage));
    const handshakeSecret = stage.compute(agrees ? sharedSecret : zeros);
    stage = resumes ? next(stage, handshakeSecret) : crypto.hmac(hash, handshakeSecret);
    const clientTraffic = crypto.hmac(hash, derive(stage));
    const serverTraffic = crypto.hmac(hash, derive(stage));
    stage = next(stage, derive(stage));
    stage = next(stage, stage.compute(zeros));

    const message = (traffic: HmacKey, content: Uint8Array, transcriptHash: Uint8Array) => {
      const key = protection(traffic);
      finishedMac(traffic, transcriptHash);
      transcript.update(finished);
      record(key, content);
      key.destroy();
      traffic.destroy();
    };
    transcript.update(resumes ? encryptedExtensions : certificateMessages);
    if (!resumes) transcript.snapshot(); // what CertificateVerify signs
    message(serverTraffic, resumes ? resumedFlight : fullFlight, transcript.snapshot());
    const afterServerFinished = transcript.snapshot();
    const application = [crypto.hmac(hash, derive(stage)), crypto.hmac(hash, derive(stage))] as const;
    message(clientTraffic, finished, afterServerFinished);
    transcript.snapshot();
    const resumption = crypto.hmac(hash, derive(stage));
    stage.destroy();
    const [write, read] = [protection(application[0]), protection(application[1])];
    for (let i = 0; i < tickets; i++) resumption.compute(expandLabel, counter);
    record(write, tickets === 1 ? ticketMessage : twoTickets);
    for (const key of [...application, resumption, write, read]) key.destroy();
  };

  const sealed = new Uint8Array(1024);
  const sealAndOpen = (key: AeadKey, plaintext: Uint8Array) => {
    key.seal(nonce, additionalData, plaintext, sealed);
    key.open(nonce, additionalData, sealed.subarray(0, plaintext.length + aeadTagLength));
  };
  // Each record is sealed at one end and opened at the other: one end here does both, the other neither.
  return () => {
    let shared: Uint8Array = zeros;
    if (agrees) {
      const client = now(crypto.generateKeyShare('x25519'));
      const server = now(crypto.answerKeyShare('x25519', client.publicKey));
      if (server === undefined) throw new Error('no agreement');
      void client.agree(server.publicKey);
      shared = server.sharedSecret;
    }
    if (resumes) {
      mac.compute(ticketState);
      cbc.decrypt(initializationVector, ticketState);
    } else void crypto.verify(algorithm, signer.publicKey, signed, now(signer.sign(algorithm, signed)));
    crypto.randomBytes(32);
    oneEnd(shared, sealAndOpen);
    oneEnd(shared, () => undefined);
    for (let i = 0; i < tickets; i++) {
      crypto.randomBytes(4); // ticket_age_add
      mac.compute(cbc.encrypt(crypto.randomBytes(16), ticketState));
    }
  };
}
