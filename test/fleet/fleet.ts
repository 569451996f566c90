/** Four nodes or more behind balancers, a Redis and a memcached: what there is, and what can happen to it. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { chanceFrom, type Chance } from '../soak/chance.js';
import type { ServerProcess } from '../support/peers.js';
import { kill, pause, startMemcached, startRedis } from '../support/remote-stores.js';
import { Balancer } from './balancer.js';
import { Client, kinds, type Kind, type Visit } from './client.js';
import { increase } from './figures.js';
import { Member } from './member.js';
import { takeLongestStall } from './stall.js';
import type { NodeReport, NodeSettings, Service } from './protocol.js';

export const nodeCount = 4;

/**
 * Keys that change while the test runs. `publishAhead` is two polls and clocks that are 22 seconds apart, as docs/ticket-keys.md
 * demands of a fleet in which one clock is 11 seconds ahead and another one 11 seconds behind.
 */
const keyTimes = { sealingPeriod: 24_000, openingPeriod: 72_000, publishAhead: 24_000, pollInterval: 1_000 };

export type FleetOptions = Partial<Pick<NodeSettings, 'ticketKeys' | 'replayGuard' | 'keyTimes'>>;

export class Fleet {
  readonly chance: Chance = chanceFrom(1);
  readonly #settings: Omit<NodeSettings, 'name' | 'redisLibrary'>;
  /** All that there ever were, by name. */
  readonly #all = new Map<string, Member>();
  readonly #balancer: Balancer;
  #members: readonly Member[] = [];
  /** By request: how many applications have read it as early data. */
  readonly #early = new Map<string, number>();
  #redis: ServerProcess;
  readonly #memcached: ServerProcess;
  #started = 0;
  /** Of nodes, since it was asked for. */
  #longestStall = 0;

  private constructor(redis: ServerProcess, memcached: ServerProcess, balancer: Balancer, options: FleetOptions) {
    this.#balancer = balancer;
    this.#redis = redis;
    this.#memcached = memcached;
    this.#settings = {
      redisPort: redis.port,
      memcachedPort: memcached.port,
      keySecret: randomBytes(32).toString('hex'),
      storeKey: { name: randomBytes(16).toString('hex'), secret: randomBytes(32).toString('hex') },
      keyTimes,
      clockOffset: 0,
      ticketKeys: 'shared',
      replayGuard: 'redis',
      certificate: 'trusted',
      ...options,
    };
  }

  static async start(options: FleetOptions = {}): Promise<Fleet> {
    const fleet = new Fleet(await startRedis(needed), await startMemcached(needed), await Balancer.start(), options);
    fleet.members = await Promise.all(Array.from({ length: nodeCount }, () => fleet.startNode()));
    return fleet;
  }

  async stop(): Promise<void> {
    await this.#balancer.close();
    await Promise.all([...this.#all.values()].map((member) => member.kill()));
    await this.#redis.stop();
    await this.#memcached.stop();
  }

  /** Those in rotation. */
  get members(): readonly Member[] {
    return this.#members;
  }

  set members(members: readonly Member[]) {
    this.#members = members;
    this.#balancer.balance(members);
  }

  /** A further node, which is not in rotation yet. */
  async startNode(changes: Partial<Pick<NodeSettings, 'clockOffset' | 'certificate'>> = {}): Promise<Member> {
    const name = `node ${++this.#started}`;
    const redisLibrary = this.#started % 2 === 0 ? 'redis' : 'ioredis';
    const member = await Member.start({ ...this.#settings, name, redisLibrary, ...changes }, (id) =>
      this.#early.set(id, this.readEarly(id) + 1),
    );
    this.#all.set(name, member);
    return member;
  }

  /** Takes it out of rotation and ends it, whatever it is doing. */
  async removeNode(member: Member): Promise<void> {
    this.members = this.members.filter((other) => other !== member);
    await member.kill();
  }

  portOf(service: Service): number {
    return this.#balancer.ports[service];
  }

  /** How many applications have read this request as early data. */
  readEarly(id: string): number {
    return this.#early.get(id) ?? 0;
  }

  /** How many requests were read as early data more than once, and whom nobody has asked about yet. */
  takeAcceptedTwice(): number {
    const twice = [...this.#early].filter(([, times]) => times > 1);
    for (const [id] of twice) this.#early.delete(id);
    return twice.length;
  }

  /** Whether the node that served this visit was killed meanwhile. */
  async wasCut(kind: Kind, visit: Visit): Promise<boolean> {
    if (visit.error === undefined) return false;
    const name = await this.#balancer.servedBy(kinds[kind].service, visit.clientPort);
    const { goneAt } = this.#all.get(name ?? '') ?? {};
    return goneAt !== undefined && goneAt >= visit.startedAt;
  }

  get sealingPeriod(): number {
    return this.#settings.keyTimes.sealingPeriod;
  }

  /** Names of the keys that seal now: one, but for a moment when it changes. */
  async sealingKeys(): Promise<string[]> {
    return (await this.reports()).flatMap(({ sealingKey = [] }) => sealingKey);
  }

  async reports(): Promise<NodeReport[]> {
    const reports = await Promise.all(this.members.map((member) => member.report()));
    this.#longestStall = Math.max(this.#longestStall, ...reports.map(({ longestStall }) => longestStall));
    return reports;
  }

  /** Milliseconds for which one of our processes stood still since the last call, at the longest. */
  async takeLongestStall(): Promise<number> {
    await this.reports();
    const longest = Math.max(takeLongestStall(), this.#longestStall);
    this.#longestStall = 0;
    return longest;
  }

  /** What has become of all early data at all nodes in rotation, by fate. */
  async earlyDataFates(): Promise<Record<string, number>> {
    const fates: Record<string, number> = {};
    for (const { earlyData } of await this.reports())
      for (const [fate, times] of Object.entries(earlyData)) fates[fate] = (fates[fate] ?? 0) + times;
    return fates;
  }

  /** What `action` adds to that. */
  async earlyDataFatesOf(action: () => Promise<void>): Promise<Record<string, number>> {
    const before = await this.earlyDataFates();
    await action();
    return increase(await this.earlyDataFates(), before);
  }

  /** Until all nodes seal with a key of the present. */
  async sealing(): Promise<void> {
    await until('all nodes seal', 60, async () =>
      (await this.reports()).every(({ keys }) => keys.sealing === 'on_time'),
    );
  }

  /** Until every node accepts early data. */
  async acceptingEarlyData(): Promise<void> {
    await this.sealing();
    for (const member of this.members) {
      const client = new Client('tickets, TLS 1.3');
      await until(`${member.name} accepts early data`, 60, async () => {
        const { earlyDataAccepted } = await client.visit(member.ports.tickets);
        return earlyDataAccepted;
      });
    }
  }

  async flushRedis(): Promise<void> {
    const client = new Redis(this.#redis.port, '127.0.0.1');
    await client.flushall();
    client.disconnect();
  }

  /** SIGKILL, and after a while another one on the same port, which knows nothing. */
  async killRedis(milliseconds: number): Promise<void> {
    kill(this.#redis);
    await this.#redis.stop();
    await delay(milliseconds);
    this.#redis = await startRedis(needed, this.#redis.port);
  }

  /** SIGSTOP, and SIGCONT after a while. */
  async pauseRedis(milliseconds: number): Promise<void> {
    await pause(this.#redis);
    await delay(milliseconds);
    process.kill(this.#redis.pid, 'SIGCONT');
  }
}

async function until(what: string, seconds: number, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} seconds: ${what}`);
    await delay(250);
  }
}

/** Without them there is nothing to show. */
function needed(reason: string): never {
  throw new Error(reason);
}
