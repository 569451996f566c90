/**
 * A fleet whose ticket keys are rotated every second by replacing files, while clients resume all the time: three processes of ours and an
 * nginx behind one relay. A file has the key before, the key that seals and the next one, so that no server meets a ticket of a key
 * that it has not read yet, however late it reads.
 */
import { X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeCrypto } from '../../../src/adapters/node/index.js';
import { toHex } from '../../../src/bytes.js';
import type { HandshakeVersion } from '../../../src/messages/handshake.js';
import { formatTicketKeys } from '../../../src/tickets/key-files/format.js';
import { generateTicketKey, type TicketKey } from '../../../src/tickets/ticket-key.js';
import { bundleProgram } from '../../support/bundle.js';
import { identities } from '../../support/identities.js';
import { freePort, type Peer } from '../../support/peers.js';
import { startNginx, type Nginx } from '../nginx.js';
import { resumeAllTheTime, type Load } from './load.js';
import type { MemberStatus } from './member.js';
import { startInFolder, type FolderServer } from './rig.js';
import { startRoundRobin } from './round-robin.js';
import { visit, type Visit } from './visit.js';

export interface RotationResult {
  readonly loads: Readonly<Record<HandshakeVersion, Load>>;
  /** Of the members of ours, when the clients had left. */
  readonly members: readonly MemberStatus[];
  /** Names of all keys in hex, in the order in which they were published. */
  readonly published: readonly string[];
  /** Connections that each server had, nginx last. */
  readonly counts: readonly number[];
  /** What became of tickets of the beginning in the end, at each server and in both versions. */
  readonly late: readonly Visit[];
  /** Milliseconds from a new file to the last member that had read it, longest first. */
  readonly lags: readonly number[];
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const memberCount = 3;
const clientsOfEachVersion = 2;
/** Milliseconds. */
const period = 1000;

export async function rotateUnderLoad(peer: Peer, seconds: number): Promise<RotationResult> {
  const published: string[] = [];
  const newKey = (): TicketKey => {
    const key = generateTicketKey(nodeCrypto);
    published.push(toHex(key.name));
    return key;
  };
  let keys: Keys = [newKey(), newKey(), newKey()];
  const nginx = await startNginx(peer, Object.keys(nginxFiles(keys)).map(keyDirective).join(' '), nginxFiles(keys));
  const members: Member[] = [];
  const program = await bundleProgram('test/interop/fleet/member.ts');
  try {
    const starting = Array.from({ length: memberCount }, () => Member.start(program.path, keys));
    for (const start of await Promise.allSettled(starting)) if (start.status === 'fulfilled') members.push(start.value);
    if (members.length < memberCount) await Promise.all(starting); // throws
    const servers = [...members, nginx];
    const relay = await startRoundRobin(servers.map(({ port }) => port));
    const early = await Promise.all(versions.map((version) => visit(nginx, version)));
    let stopped = false;
    const run = async (version: HandshakeVersion): Promise<Load> => {
      const clients = Array.from({ length: clientsOfEachVersion }, () =>
        resumeAllTheTime(relay.port, version, 5, () => stopped),
      );
      return together(await Promise.all(clients));
    };
    const loads = Promise.all([run('TLSv1.2'), run('TLSv1.3')]);
    const lags: number[] = [];
    // Never sooner after the last time, however late that was: the overlap is one of keys.
    for (const end = Date.now() + seconds * 1000; Date.now() < end - period;) {
      await delay(period);
      keys = [keys[1], keys[2], newKey()];
      lags.push(await publish(keys, members, nginx));
    }
    await delay(period);
    stopped = true;
    const [tls12, tls13] = await loads;
    await relay.close();
    const late: Visit[] = [];
    for (const { handshake, sessions } of early)
      for (const server of servers) late.push(await visit(server, handshake.version, { session: sessions }));
    return {
      late,
      loads: { 'TLSv1.2': tls12, 'TLSv1.3': tls13 },
      members: await Promise.all(members.map((member) => member.status())),
      published,
      counts: relay.counts,
      lags: lags.sort((a, b) => b - a),
    };
  } finally {
    await Promise.all([nginx.stop(), ...members.map((member) => member.stop())]);
    program.remove();
  }
}

/** The key before, the one that seals, the next one. */
type Keys = readonly [TicketKey, TicketKey, TicketKey];

/** As a ring and the writers of key files take them: a key that waits for its turn says so. */
const inOrderOfUse = ([previous, sealing, next]: Keys): TicketKey[] => [
  sealing,
  { ...next, sealsFrom: Infinity },
  previous,
];

function nginxFiles(keys: Keys): Record<string, Uint8Array> {
  const files = formatTicketKeys('nginx80', inOrderOfUse(keys));
  return Object.fromEntries(files.map((file, i) => [`${i}.key`, file]));
}

const keyDirective = (file: string) => `ssl_session_ticket_key ${file};`;

/** Answers how long it took until the last one had them. */
async function publish(keys: Keys, members: readonly Member[], nginx: Nginx): Promise<number> {
  const before = Date.now();
  for (const member of members) member.publish(keys);
  for (const [file, content] of Object.entries(nginxFiles(keys))) nginx.replaceFile(file, content);
  await Promise.all([nginx.reload(), ...members.map((member) => member.waitForKey(keys[1]))]);
  return Date.now() - before;
}

function together(loads: readonly Load[]): Load {
  return {
    offered: loads.reduce((sum, { offered }) => sum + offered, 0),
    resumed: loads.reduce((sum, { resumed }) => sum + resumed, 0),
    full: loads.flatMap(({ full }) => full),
    failures: loads.flatMap(({ failures }) => failures),
  };
}

/** From outside. */
class Member {
  readonly port: number;
  readonly #process: FolderServer;

  private constructor(process: FolderServer) {
    this.port = process.port;
    this.#process = process;
  }

  static async start(program: string, keys: Keys): Promise<Member> {
    const port = await freePort();
    const process = await startInFolder({
      files: { 'ticket.keys': keyFile(keys) },
      command: globalThis.process.execPath,
      arguments: (folder) => [program, String(port), `${folder}/ticket.keys`, certificate],
      port,
      ready: /^listening$/m,
    });
    return new Member(process);
  }

  publish(keys: Keys): void {
    this.#process.replaceFile('ticket.keys', keyFile(keys));
  }

  async waitForKey({ name }: TicketKey): Promise<void> {
    await this.#process.waitForOutput(new RegExp(`^seals ${toHex(name)}$`, 'm'));
  }

  /** To be asked once. */
  async status(): Promise<MemberStatus> {
    this.#process.write('status\n');
    const [, told = ''] = await this.#process.waitForOutput(/^status (.*)$/m);
    return JSON.parse(told) as MemberStatus;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

/** Base64: what nginx makes the session id context of. */
const certificate = new X509Certificate(identities.ecdsa.cert).raw.toString('base64');

function keyFile(keys: Keys): Uint8Array {
  const [file] = formatTicketKeys('haproxy80', inOrderOfUse(keys));
  return file!;
}
