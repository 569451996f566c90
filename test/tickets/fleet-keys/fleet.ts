/** Servers of one fleet in one process, on clocks that only move when a test says so. */
import { nodeCrypto } from '../../../src/crypto/node.js';
import { CircuitBreaker } from '../../../src/remote/circuit-breaker.js';
import type { RedisClient } from '../../../src/remote/redis-client.js';
import type {
  FleetKeyError,
  FleetKeyStatus,
  RedisKeyDistributorOptions,
} from '../../../src/tickets/fleet-keys/fleet-key-options.js';
import { RedisKeyDistributor } from '../../../src/tickets/fleet-keys/redis-key-distributor.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { opensslLayout } from '../../../src/tickets/layouts/openssl.js';
import { RingSealer } from '../../../src/tickets/ring-sealer.js';
import type { OpenedTicket } from '../../../src/tickets/sealer.js';

export const second = 1000;
export const times = {
  sealingPeriod: 60 * second,
  openingPeriod: 60 * second,
  maximumExtension: 30 * second,
  publishAhead: 40 * second,
  pollInterval: 5 * second,
};
export const secret = nodeCrypto.randomBytes(32);
const state = new Uint8Array(100).fill(7);

export interface Server {
  readonly ring: KeyRing;
  readonly distributor: RedisKeyDistributor;
  readonly errors: FleetKeyError[];
  readonly statuses: FleetKeyStatus[];
  start(): Promise<void>;
  /** A look at Redis, if it is time for one. */
  tick(): Promise<void>;
  /** `undefined` where no key seals. */
  seal(): Uint8Array | undefined;
  open(ticket: Uint8Array): OpenedTicket;
}

export class Fleet {
  /** Far from a change of periods. */
  time = 1_800_000_000_000 + 5 * second;
  readonly servers: Server[] = [];

  join(client: RedisClient, options: Partial<RedisKeyDistributorOptions> & { readonly skew?: number } = {}): Server {
    const { skew = 0, ...others } = options;
    const now = () => this.time + skew;
    const ring = new KeyRing({ crypto: nodeCrypto, now, openingPeriod: times.openingPeriod });
    const sealer = new RingSealer({ keys: ring, layout: opensslLayout });
    const errors: FleetKeyError[] = [];
    const statuses: FleetKeyStatus[] = [];
    let timer: { readonly due: number; readonly callback: () => void } | undefined;
    let looked = (): unknown => undefined;
    const distributor = new RedisKeyDistributor({
      client,
      ring,
      secret,
      crypto: nodeCrypto,
      now,
      ...times,
      // A machine that is busy is no Redis that is away.
      breaker: new CircuitBreaker({ timeLimit: 5000, failuresToOpen: 1000 }),
      after: (milliseconds, callback) => {
        timer = { due: this.time + milliseconds, callback };
        looked();
        return () => (timer = undefined);
      },
      onError: (error) => errors.push(error),
      onChange: (status) => statuses.push(status),
      ...others,
    });
    const server: Server = {
      ring,
      distributor,
      errors,
      statuses,
      start: () => distributor.start(),
      async tick() {
        if (timer === undefined || timer.due > now() - skew) return;
        const { callback } = timer;
        const done = new Promise<void>((resolve) => (looked = resolve));
        callback();
        await done;
      },
      seal: () => (ring.status().some(({ seals }) => seals) ? sealer.seal(state) : undefined),
      open: (ticket) => sealer.open(ticket),
    };
    this.servers.push(server);
    return server;
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
  }

  /** Goes on in steps of a second, with what happens at each of them. */
  async pass(milliseconds: number, each: () => unknown = () => undefined): Promise<void> {
    for (const end = this.time + milliseconds; this.time < end;) {
      this.time += second;
      await Promise.all(this.servers.map((server) => server.tick()));
      each();
    }
  }
}

/** Tickets that were sealed, and how many of them some server could not open: when they were new, and at the end of their life. */
export class Tickets {
  sealed = 0;
  unsealed = 0;
  readonly refused: string[] = [];
  readonly #fleet: Fleet;
  readonly #life: number;
  readonly #living: { readonly ticket: Uint8Array; readonly at: number; readonly by: number }[] = [];

  constructor(fleet: Fleet, life = times.openingPeriod) {
    this.#fleet = fleet;
    this.#life = life;
  }

  /** Every server seals one, and all open it; and those that are about to expire. */
  check(): void {
    const { servers, time } = this.#fleet;
    for (const [by, server] of servers.entries()) {
      const ticket = server.seal();
      if (ticket === undefined) {
        this.unsealed++;
        continue;
      }
      this.sealed++;
      this.#living.push({ ticket, at: time, by });
      this.#openEverywhere(ticket, `of ${by}, new`);
    }
    while (this.#living[0] !== undefined && this.#living[0].at <= time - this.#life) {
      const [oldest] = this.#living.splice(0, 1);
      if (oldest !== undefined) this.#openEverywhere(oldest.ticket, `of ${oldest.by}, old`);
    }
  }

  #openEverywhere(ticket: Uint8Array, which: string): void {
    for (const [at, server] of this.#fleet.servers.entries()) {
      const { reason } = server.open(ticket);
      if (reason !== undefined) this.refused.push(`${which}, at ${at}: ${reason}`);
    }
  }
}
