/**
 * Connections in memory, one after the other: each kind of handshake with a chosen end or a chosen mishap, on servers, stores and
 * ticket keys that live as long as the run. The clock is the world's own: a second goes by with each connection, so that keys
 * rotate and entries expire within a minute.
 */
import { ascii } from '../../src/bytes.js';
import { clientSettings, serverSettings } from '../../src/connection/config.js';
import type { ConnectionOptions } from '../../src/connection/connection.js';
import type { ClientOptions, ExternalPskOptions, ServerOptions } from '../../src/connection/options.js';
import { quicClient, quicServer } from '../../src/connection/quic.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { withPreparedKeyShares } from '../../src/crypto/prepared.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import { AlertError } from '../../src/errors.js';
import type { HandshakeMode } from '../../src/handshake/resumption.js';
import type { CertificateVerdict, Credentials } from '../../src/handshake/settings.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { Session } from '../../src/sessions/session.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { RingSealer } from '../../src/tickets/ring-sealer.js';
import { drain, eventsOf, makePair, settle, type DriverName, type Pair } from '../support/connections.js';
import { quicEnd, quicEvents, settleQuic } from '../support/quic.js';
import type { Chance } from './chance.js';
import type { Tally } from './tally.js';

const minute = 60_000;
const maxEntries = 300;
const maxReplayEntries = 2_000;
const transportParameters = Uint8Array.of(1, 2, 3);
const psk = { identity: ascii('soak'), key: nodeCrypto.hash('sha256', ascii('soak psk')) };

/** A handshake: what both sides are configured with beside the rest, and what must come of it. */
interface Kind {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  readonly mode: HandshakeMode;
  readonly client?: ClientOptions | Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
  /** Offers a session of a full handshake between the same two. */
  readonly resumes?: boolean;
  readonly early?: boolean;
  /** The ClientHello with its early data is heard by a second server as well. */
  readonly replayed?: boolean;
}

/** What goes wrong on the way. */
const mishaps = ['none', 'garbage', 'flip', 'truncated', 'abort', 'wrong certificate', 'failing outside'] as const;
type Mishap = (typeof mishaps)[number];
const endings = [
  'client closes',
  'server closes',
  'both close',
  'client destroys',
  'server destroys',
  'truncated',
] as const;

interface Circumstances {
  readonly session?: Session | undefined;
  readonly mishap?: Mishap;
  /** The client has a store. */
  readonly keeps?: boolean;
}

const externalPsk = (role: ExternalPskOptions['role']): ExternalPskOptions => ({ ...psk, role });

export class MemoryWorld {
  readonly #chance: Chance;
  readonly #tally: Tally;
  readonly #now = () => this.#time;
  readonly #backends: readonly [CryptoBackend, ...CryptoBackend[]];
  readonly #store: MemoryStore;
  readonly #clientStore: MemoryStore;
  readonly #guard: MemoryReplayGuard;
  readonly #ring: KeyRing;
  readonly #sealer: RingSealer;
  readonly #server = credentialsOf('server');
  readonly #client = credentialsOf('client');
  readonly #kinds: Readonly<Record<string, Kind>>;
  #time = Date.UTC(2025, 0, 1);

  constructor(chance: Chance, tally: Tally) {
    this.#chance = chance;
    this.#tally = tally;
    const now = this.#now;
    this.#backends = [nodeCrypto, nodeCrypto, nobleCrypto, withPreparedKeyShares(nobleCrypto)];
    this.#store = new MemoryStore({ now, maxEntries });
    this.#clientStore = new MemoryStore({ now, maxEntries });
    this.#guard = new MemoryReplayGuard({ now, maxEntries: maxReplayEntries });
    this.#ring = new KeyRing({
      crypto: nodeCrypto,
      now,
      automaticRotation: true,
      sealingPeriod: 5 * minute,
      openingPeriod: 10 * minute,
      maxKeys: 8,
    });
    this.#sealer = new RingSealer({ keys: this.#ring });
    this.#kinds = this.#makeKinds();
  }

  /** One connection of a random kind, and those that it needs beforehand. */
  async once(): Promise<void> {
    const chance = this.#chance;
    if (chance.oneIn(12)) await this.#quic();
    else {
      const names = Object.keys(this.#kinds);
      const name = names[chance.below(names.length)] ?? 'full';
      const kind = this.#kinds[name];
      if (kind !== undefined) await this.#connect(name, kind);
    }
    this.#time += 1000;
  }

  /** What must not grow, by name: what there is and what there may be. */
  bounds(): Record<string, readonly [size: number, limit: number]> {
    return {
      'entries of the server store': [this.#store.statistics().entries, maxEntries],
      'entries of the client store': [this.#clientStore.statistics().entries, maxEntries],
      'ticket keys': [this.#ring.status().length, 8],
    };
  }

  #makeKinds(): Record<string, Kind> {
    const tickets = { tickets: this.#sealer };
    const earlyData = { earlyData: { maxSize: 4096, replayGuard: this.#guard, ticketsAreOfThisProcessAlone: true } };
    const both = { resumes: true, early: true, client: { earlyData: true }, server: { ...tickets, ...earlyData } };
    const mutual = { client: { credentials: [this.#client] }, server: { clientAuthentication: 'require' } } as const;
    const retry = { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] } as const;
    return {
      'TLS 1.2 full': { version: 'TLSv1.2', mode: 'full', server: tickets },
      'TLS 1.2 client certificate': { version: 'TLSv1.2', mode: 'full', ...mutual },
      'TLS 1.2 session ID': {
        version: 'TLSv1.2',
        mode: 'session_id',
        resumes: true,
        server: { sessions: this.#store },
      },
      'TLS 1.2 ticket': { version: 'TLSv1.2', mode: 'ticket', resumes: true, server: tickets },
      'TLS 1.2 ticket renewed': {
        version: 'TLSv1.2',
        mode: 'ticket',
        resumes: true,
        server: { ...tickets, renewTickets: 'always' },
      },
      'TLS 1.3 full': { version: 'TLSv1.3', mode: 'full', server: tickets },
      'TLS 1.3 HelloRetryRequest': { version: 'TLSv1.3', mode: 'full', client: retry, server: { groups: ['x25519'] } },
      'TLS 1.3 client certificate': { version: 'TLSv1.3', mode: 'full', ...mutual },
      'TLS 1.3 PSK': { version: 'TLSv1.3', mode: 'psk_dhe_ke', resumes: true, server: tickets },
      'TLS 1.3 PSK alone': {
        version: 'TLSv1.3',
        mode: 'psk_ke',
        resumes: true,
        client: { pskKeyExchangeModes: ['psk_ke'] },
        server: { ...tickets, pskKeyExchangeModes: ['psk_ke'] },
      },
      'TLS 1.3 PSK of a store': {
        version: 'TLSv1.3',
        mode: 'psk_dhe_ke',
        resumes: true,
        server: { sessions: this.#store },
      },
      'TLS 1.3 external PSK': {
        version: 'TLSv1.3',
        mode: 'psk_dhe_ke',
        client: { externalPsks: [externalPsk('client')] },
        server: { externalPsks: [externalPsk('server')] },
      },
      'TLS 1.3 early data': { version: 'TLSv1.3', mode: 'psk_dhe_ke', ...both },
      'TLS 1.3 early data replayed': { version: 'TLSv1.3', mode: 'psk_dhe_ke', ...both, replayed: true },
    };
  }

  async #connect(name: string, kind: Kind): Promise<void> {
    const chance = this.#chance;
    // Another backend of the client is another configuration, whose sessions are not for this one.
    const crypto = chance.one(...this.#backends);
    const session = kind.resumes === true ? await this.#session(kind, crypto) : undefined;
    if (kind.resumes === true && session === undefined) {
      this.#tally.complain(name, 'a full handshake left no session');
      return;
    }
    this.#time += 1000;
    const mishap = chance.oneIn(3) ? chance.one(...mishaps) : 'none';
    try {
      const keeps = kind.resumes !== true && chance.oneIn(2);
      const pair = this.#pair(kind, crypto, { session, mishap, keeps });
      if (kind.early === true && pair.client.connection.earlyDataAllowance > 100)
        pair.client.connection.writeEarlyData(chance.bytes(100));
      if (kind.replayed === true && mishap === 'none') await this.#replay(name, kind, crypto, pair);
      await suffer(pair, mishap, chance);
      this.#judge(name, keeps ? undefined : kind.mode, pair, mishap);
      await this.#talk(name, pair);
      await this.#end(name, pair);
    } catch (error) {
      this.#tally.complain(name, `${mishap}: thrown: ${String(error)}`);
    }
  }

  /** A session of a full handshake, which is not counted. */
  async #session(kind: Kind, crypto: CryptoBackend): Promise<Session | undefined> {
    const pair = await settle(this.#pair(kind, crypto));
    const [event] = eventsOf(pair.client, 'session');
    pair.client.connection.close();
    await settle(pair);
    pair.server.connection.destroy();
    return event?.session;
  }

  #pair(kind: Kind, crypto: CryptoBackend, { session, mishap = 'none', keeps = false }: Circumstances = {}): Pair {
    const chance = this.#chance;
    const versions = { minVersion: kind.version, maxVersion: kind.version } as const;
    const driver = chance.one<DriverName>('sync', 'async', 'promises');
    const wrong = mishap === 'wrong certificate';
    const client = clientSettings({
      ...versions,
      now: this.#now,
      crypto,
      serverName: 'soak.example',
      verifyCertificate: () => (wrong ? refused : accepted(this.#server)),
      ...(session === undefined ? {} : { session }),
      ...(keeps ? { sessions: this.#clientStore } : {}),
      ...(chance.oneIn(2) ? { peerIdentity: String(chance.below(1000)) } : {}),
      ...kind.client,
    });
    const server = serverSettings({
      ...versions,
      now: this.#now,
      crypto: chance.one(...this.#backends),
      credentials: [this.#server],
      verifyCertificate: () => (wrong ? refused : accepted(this.#client)),
      ...kind.server,
      ...(mishap === 'failing outside' ? failing : {}),
    });
    const options: ConnectionOptions = chance.oneIn(4) ? { limits: { maxRecordsPerKey: 8 } } : {};
    return makePair(client, server, { driver, client: options, server: options });
  }

  /** Everything that the client says first is heard by another server before: the second to hear it reads no early data. */
  async #replay(name: string, kind: Kind, crypto: CryptoBackend, pair: Pair): Promise<void> {
    while (pair.client.connection.waiting) await new Promise(setImmediate);
    const first = drain(pair.client);
    const eavesdropping = this.#pair(kind, crypto).server;
    eavesdropping.connection.receive(first.slice());
    while (eavesdropping.connection.waiting) await new Promise(setImmediate);
    drain(eavesdropping);
    pair.server.connection.receive(first);
    await settle(pair);
    const accepted = [eavesdropping, pair.server].map((end) => eventsOf(end, 'early_data')[0]?.accepted);
    if (accepted[0] === true && accepted[1] === true) this.#tally.complain(name, 'early data was read twice');
    eavesdropping.connection.destroy();
  }

  /** `mode` undefined: whatever the client found in its store. */
  #judge(name: string, mode: HandshakeMode | undefined, pair: Pair, mishap: Mishap): void {
    const results = [pair.client, pair.server].map(({ connection }) => connection.handshake?.mode ?? connection.state);
    const errors = [pair.client, pair.server].flatMap((end) => eventsOf(end, 'close').map(({ error }) => error));
    const internal = errors.find((error) => error instanceof AlertError && error.alert === 'internal_error');
    if (internal !== undefined && mishap !== 'failing outside')
      this.#tally.complain(name, `${mishap}: ${internal.message}`);
    const isOpen = results.every(
      (result) => result === mode || (mode === undefined && result !== 'handshake' && result !== 'closed'),
    );
    if (mishap === 'none' && !isOpen) this.#tally.complain(name, `came to ${results.join(', ')}`);
    const closed = [pair.client, pair.server].filter(({ connection }) => connection.state === 'closed').length;
    const isComplete = pair.client.connection.handshake !== undefined && pair.server.connection.handshake !== undefined;
    const ended =
      closed === 2 ? 'failed' : closed === 1 || !isComplete ? 'given up' : isOpen ? 'open' : 'open as another';
    const outcome = isComplete && closed > 0 ? 'failed late' : ended;
    this.#tally.count(name, mishap === 'none' ? outcome : `${mishap}: ${outcome}`);
  }

  /** Data in both directions, key updates, tickets on demand. */
  async #talk(name: string, pair: Pair): Promise<void> {
    const { client, server } = pair;
    if (client.connection.state !== 'open' || server.connection.state !== 'open') return;
    const isTls13 = client.connection.handshake?.version === 'TLSv1.3';
    let sent = 0;
    for (let turn = this.#chance.below(4); turn > 0; turn--) {
      const data = this.#chance.bytes(1 + this.#chance.below(this.#chance.one(10, 100, 20_000)));
      this.#chance.one(client, server).connection.write(data);
      sent += data.length;
      if (isTls13 && this.#chance.oneIn(2))
        this.#chance.one(client, server).connection.updateKeys({ requestPeer: this.#chance.oneIn(2) });
      await settle(pair);
    }
    const got = [client, server].flatMap((end) => eventsOf(end, 'data').filter(({ early }) => !early));
    const received = got.reduce((sum, { data }) => sum + data.length, 0);
    if (received !== sent) this.#tally.complain(name, `${sent} bytes were sent and ${received} received`);
  }

  async #end(name: string, pair: Pair): Promise<void> {
    const { client, server } = pair;
    const ending = this.#chance.one(...endings);
    if (ending === 'client closes' || ending === 'both close') client.connection.close();
    if (ending === 'server closes' || ending === 'both close') server.connection.close();
    if (ending === 'client destroys') client.connection.destroy();
    if (ending === 'server destroys') server.connection.destroy();
    if (ending !== 'truncated') await settle(pair);
    for (const end of [client, server]) {
      end.connection.receiveEnd();
      drain(end);
    }
    for (const end of [client, server])
      if (eventsOf(end, 'close').length > 1) this.#tally.complain(name, `${ending}: more than one close`);
    // An answer that never comes holds one open: nobody waits for it any more.
    for (const end of [client, server]) end.connection.destroy();
  }

  /** The handshake of a QUIC stack, at first and with a ticket and early data. */
  async #quic(): Promise<void> {
    const chance = this.#chance;
    const driver = chance.one<DriverName>('sync', 'async', 'promises');
    const connect = async (session: Session | undefined) => {
      const common = { now: this.#now, transport: 'quic', quicTransportParameters: transportParameters } as const;
      const client = clientSettings({
        ...common,
        crypto: chance.one(...this.#backends),
        serverName: 'soak.example',
        verifyCertificate: () => accepted(this.#server),
        earlyData: true,
        ...(session === undefined ? {} : { session }),
      });
      const server = serverSettings({
        ...common,
        crypto: chance.one(...this.#backends),
        credentials: [this.#server],
        tickets: this.#sealer,
        earlyData: { maxSize: 4096, replayGuard: this.#guard, ticketsAreOfThisProcessAlone: true },
      });
      const pair = {
        client: quicEnd((options) => quicClient(client, options), driver),
        server: quicEnd((options) => quicServer(server, options), driver),
      };
      if (chance.oneIn(8)) {
        const end = chance.one(pair.client, pair.server);
        end.quic.receive('initial', chance.bytes(1 + chance.below(100)));
      }
      await settleQuic(pair);
      this.#tally.count(
        session === undefined ? 'QUIC full' : 'QUIC PSK',
        `${pair.client.quic.state}, ${pair.server.quic.state}`,
      );
      const [event] = quicEvents(pair.client, 'session');
      pair.client.quic.destroy();
      pair.server.quic.destroy();
      return event?.session;
    };
    try {
      const session = await connect(undefined);
      this.#time += 1000;
      if (session !== undefined) await connect(session);
    } catch (error) {
      this.#tally.complain('QUIC', `thrown: ${String(error)}`);
    }
  }
}

const refused: CertificateVerdict = { accepted: false, alert: 'unknown_ca', reason: 'refused by the soak' };

const failing = {
  tickets: { seal: () => Promise.reject(new Error('no sealer')), open: () => Promise.reject(new Error('no sealer')) },
  sessions: {
    get: () => Promise.reject(new Error('no store')),
    set: () => Promise.reject(new Error('no store')),
    delete: () => Promise.reject(new Error('no store')),
  },
};

function accepted({ signer }: Credentials): CertificateVerdict {
  return { accepted: true, publicKey: signer.publicKey };
}

function credentialsOf(name: string): Credentials {
  const scalar = nodeCrypto.hash('sha256', ascii(`soak ${name}`));
  const { publicKey: point } = nobleKeyShare('secp256r1', scalar.slice());
  return {
    certificates: [ascii(name)],
    signer: nodeCrypto.signer({ kind: 'ecdsa', curve: 'secp256r1', scalar, point }),
  };
}

/** Lets the two talk until something happens to what one of them says, or all is said. */
async function suffer(pair: Pair, mishap: Mishap, chance: Chance): Promise<void> {
  let until =
    mishap === 'garbage' || mishap === 'flip' || mishap === 'truncated' || mishap === 'abort'
      ? chance.below(5)
      : Infinity;
  for (let turn = 0; turn < 100; turn++) {
    let moved = false;
    for (const [sender, receiver] of [[pair.client, pair.server] as const, [pair.server, pair.client] as const]) {
      const bytes = drain(sender);
      if (bytes.length === 0) continue;
      moved = true;
      const changed = until-- === 0 ? changedBy(mishap, bytes, chance) : bytes;
      receiver.connection.receive(changed);
      if (changed.length < bytes.length) receiver.connection.receiveEnd();
      if (mishap === 'abort' && until === -1) chance.one(pair.client, pair.server).connection.destroy();
    }
    if (moved) continue;
    if (!pair.client.connection.waiting && !pair.server.connection.waiting) return;
    await new Promise(setImmediate);
  }
}

function changedBy(mishap: Mishap, bytes: Uint8Array, chance: Chance): Uint8Array {
  const at = chance.below(bytes.length);
  if (mishap === 'garbage') return chance.bytes(bytes.length);
  if (mishap === 'truncated') return bytes.slice(0, at);
  const changed = bytes.slice();
  if (mishap === 'flip') changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8));
  return changed;
}
