/**
 * What a TLS 1.3 connection stands on: the key schedule, the traffic secrets of both directions, and what is made of them
 * (RFC 8446 4.4.4, 4.6, 7).
 *
 * Keys reach the transport as secrets: a record layer makes keys of them, a QUIC stack its own.
 */
import { equalConstantTime, toHex, wipe } from '../bytes.js';
import { concealed } from '../concealed.js';
import { hashLength } from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import { tls13Suites, type Tls13CipherSuite } from '../key-schedule/suites.js';
import {
  exportKeyingMaterial,
  resumptionPsk,
  Tls13KeySchedule,
  TrafficSecret,
  type BothDirections,
} from '../key-schedule/tls13.js';
import type { EpochKeys } from '../record/record-layer.js';
import { taken, type HandshakeBase } from './handshake-base.js';
import { receiveTls13, type Handshake } from './needs.js';
import type { ClientSettings, ServerSettings } from './settings.js';

type Side = 'client' | 'server';

const lasting = ['client', 'server', 'exporter', 'resumption'] as const;

/** RFC 9850 2.1. */
const keyLogLabels = {
  early: { client: 'CLIENT_EARLY_TRAFFIC_SECRET', server: '' },
  handshake: { client: 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', server: 'SERVER_HANDSHAKE_TRAFFIC_SECRET' },
  application: { client: 'CLIENT_TRAFFIC_SECRET_', server: 'SERVER_TRAFFIC_SECRET_' },
} as const;

export class Tls13State {
  readonly #hs: HandshakeBase<ClientSettings | ServerSettings>;
  #cipherSuite: Tls13CipherSuite | undefined;
  #schedule: Tls13KeySchedule | undefined;
  #early: TrafficSecret | undefined;
  #handshake: BothDirections<TrafficSecret> | undefined;
  #application: BothDirections<TrafficSecret> | undefined;
  #earlyExporter: Uint8Array | undefined;
  /**
   * What stays when the handshake is over, one behind the other: application traffic secrets of client and server, exporter secret,
   * resumption secret. One array in place of four with the states around them.
   */
  #lasting: Uint8Array | undefined;
  #generations: { client: number; server: number } | undefined;
  #nextTicketNonce = 0;

  constructor(hs: HandshakeBase<ClientSettings | ServerSettings>) {
    this.#hs = hs;
  }

  get cipherSuite(): Tls13CipherSuite {
    return taken(this.#cipherSuite);
  }

  get hash() {
    return tls13Suites[this.cipherSuite].hash;
  }

  /** The suite is settled. A client that offers early data settles it for that alone: the ServerHello may say otherwise. */
  chooseCipherSuite(cipherSuite: Tls13CipherSuite): void {
    this.#cipherSuite = cipherSuite;
  }

  /** RFC 8446 7.1: the early secret, from the PSK that was selected, or without one. Takes `schedule` over, where there is one already. */
  enterEarlySecret(schedule?: Tls13KeySchedule): void {
    if (schedule === this.#schedule && schedule !== undefined) return;
    this.#schedule?.destroy();
    this.#schedule = schedule ?? new Tls13KeySchedule(this.#hs.settings.crypto, this.hash);
  }

  /** RFC 8446 4.2.10, over the ClientHello. */
  enterEarlyTraffic(clientHelloHash: Uint8Array): void {
    const schedule = taken(this.#schedule);
    this.#early = schedule.clientEarlyTraffic(clientHelloHash);
    this.#earlyExporter = schedule.earlyExporter(clientHelloHash);
    this.#log(keyLogLabels.early.client, this.#early.secret);
    this.#log('EARLY_EXPORTER_SECRET', this.#earlyExporter);
  }

  /** Keys for early data: written by a client, read by a server. */
  useEarlyKeys(): void {
    const { role, transport } = this.#hs;
    if (role === 'client') transport.changeWriteKeys('early', this.#keys(taken(this.#early)));
    else transport.changeReadKeys('early', this.#keys(taken(this.#early)));
  }

  /** No early data was sent, or none will be read: nothing may be exported for it either. */
  dropEarlyTraffic(): void {
    this.#early?.destroy();
    wipe(this.#earlyExporter);
    this.#early = this.#earlyExporter = undefined;
  }

  /** RFC 8446 7.1, over ClientHello...ServerHello. Wipes `sharedSecret`. */
  enterHandshake(sharedSecret: Uint8Array | undefined): void {
    const schedule = taken(this.#schedule);
    schedule.enterHandshake(sharedSecret);
    this.#handshake = schedule.handshakeTraffic(this.#hs.transcript.digest());
    this.#log(keyLogLabels.handshake.client, this.#handshake.client.secret);
    this.#log(keyLogLabels.handshake.server, this.#handshake.server.secret);
    schedule.enterMaster();
  }

  readHandshakeKeys(mayStartWithPlaintextAlert = false): void {
    const secret = taken(this.#handshake)[this.#peer];
    this.#hs.transport.changeReadKeys('handshake', { ...this.#keys(secret), mayStartWithPlaintextAlert });
  }

  writeHandshakeKeys(): void {
    this.#hs.transport.changeWriteKeys('handshake', this.#keys(taken(this.#handshake)[this.#hs.role]));
  }

  /** RFC 8446 4.4.4. */
  sendFinished(): void {
    const { role, transcript } = this.#hs;
    const verifyData = taken(this.#handshake)[role].finished(transcript.digest());
    this.#hs.sendTls13({ type: 'finished', body: { verifyData } });
  }

  /** RFC 8446 4.4.4: the peer's Finished, in constant time. */
  *receiveFinished(): Handshake<void> {
    const { transcript } = this.#hs;
    const finished = yield* receiveTls13('finished');
    const expected = taken(this.#handshake)[this.#peer].finished(transcript.digest());
    if (!equalConstantTime(finished.body.verifyData, expected))
      throw new AlertError('decrypt_error', 'got a Finished that does not verify');
    transcript.add(finished.bytes);
  }

  /** RFC 8446 7.1, over ClientHello...server Finished. */
  enterApplication(): void {
    const schedule = taken(this.#schedule);
    const hash = this.#hs.transcript.digest();
    const { client, server } = (this.#application = schedule.applicationTraffic(hash));
    this.#keep('client', client.secret);
    this.#keep('server', server.secret);
    const exporter = schedule.exporter(hash);
    this.#keep('exporter', exporter);
    wipe(exporter);
    this.#log(`${keyLogLabels.application.client}0`, client.secret);
    this.#log(`${keyLogLabels.application.server}0`, server.secret);
    this.#log('EXPORTER_SECRET', this.#kept('exporter'));
  }

  readApplicationKeys(): void {
    this.#hs.transport.changeReadKeys('application', this.#keys(taken(this.#application)[this.#peer]));
  }

  writeApplicationKeys(): void {
    this.#hs.transport.changeWriteKeys('application', this.#keys(taken(this.#application)[this.#hs.role]));
  }

  /** RFC 8446 4.6.1, over ClientHello...client Finished. */
  enterResumption(): void {
    const resumption = taken(this.#schedule).resumption(this.#hs.transcript.digest());
    this.#keep('resumption', resumption);
    wipe(resumption);
  }

  /** RFC 8446 4.6.1: the PSK of a ticket. P-state-2: never all zeros. */
  ticketPsk(nonce: Uint8Array): Uint8Array {
    const psk = resumptionPsk(this.#hs.settings.crypto, this.hash, this.#kept('resumption'), nonce);
    if (psk.every((byte) => byte === 0)) throw new AlertError('internal_error', 'the resumption PSK is unusable');
    return concealed(psk);
  }

  /** R8446-4.6.1-9: unique among the tickets of a connection. */
  nextTicketNonce(): Uint8Array {
    const number = this.#nextTicketNonce++;
    return number < 256 ? Uint8Array.of(0, number) : Uint8Array.of(number >> 16, number >> 8, number);
  }

  /** RFC 8446 7.2: a KeyUpdate of ours is sent, or one of the peer is received. */
  update(side: Side): void {
    const { transport, settings, role } = this.#hs;
    const present = new TrafficSecret(settings.crypto, this.hash, this.#kept(side));
    let next: TrafficSecret | undefined;
    try {
      next = present.next();
      this.#keep(side, next.secret);
      this.#generations ??= { client: 0, server: 0 };
      this.#log(`${keyLogLabels.application[side]}${++this.#generations[side]}`, next.secret);
      if (side === role) transport.changeWriteKeys('application', this.#keys(next));
      else transport.changeReadKeys('application', this.#keys(next));
    } finally {
      present.rest();
      next?.destroy();
    }
  }

  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    const { crypto } = this.#hs.settings;
    return exportKeyingMaterial(crypto, this.hash, this.#kept('exporter'), label, context, length);
  }

  /** RFC 8446 7.5, while there is early data; `undefined` without. */
  exportEarlyKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array | undefined {
    if (this.#earlyExporter === undefined) return undefined;
    return exportKeyingMaterial(this.#hs.settings.crypto, this.hash, this.#earlyExporter, label, context, length);
  }

  /** The handshake is over: what tickets, exporters and key updates need stays. */
  complete(): void {
    this.#schedule?.destroy();
    this.#early?.destroy();
    this.#handshake?.client.destroy();
    this.#handshake?.server.destroy();
    this.#application?.client.destroy();
    this.#application?.server.destroy();
    this.#schedule = this.#early = this.#handshake = this.#application = undefined;
  }

  /** Wipes what is secret. The protections in use belong to the record layer. */
  destroy(): void {
    this.complete();
    wipe(this.#earlyExporter, this.#lasting);
    this.#earlyExporter = this.#lasting = undefined;
  }

  /** Keeps a copy. */
  #keep(name: (typeof lasting)[number], secret: Uint8Array): void {
    this.#lasting ??= new Uint8Array(lasting.length * hashLength[this.hash]);
    this.#lasting.set(secret, lasting.indexOf(name) * hashLength[this.hash]);
  }

  /** A view. */
  #kept(name: (typeof lasting)[number]): Uint8Array {
    const length = hashLength[this.hash];
    const start = lasting.indexOf(name) * length;
    return taken(this.#lasting).subarray(start, start + length);
  }

  get #peer(): Side {
    return this.#hs.role === 'client' ? 'server' : 'client';
  }

  #keys(secret: TrafficSecret): EpochKeys {
    const { crypto, recordPaddingBlock: paddingBlock } = this.#hs.settings;
    const { aead } = tls13Suites[this.cipherSuite];
    return { crypto, aead, secret, paddingBlock, mayStartWithPlaintextAlert: false };
  }

  #log(label: string, secret: Uint8Array): void {
    this.#hs.settings.keyLog?.(`${label} ${toHex(this.#hs.clientRandom)} ${toHex(secret)}`);
  }
}
