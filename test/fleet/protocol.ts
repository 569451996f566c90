/** What the processes and threads of the fleet test are told when they start, and what they tell: data, as they go from one to another. */
import type { FleetKeyStatus } from '../../src/tickets/fleet-keys/fleet-key-options.js';

/**
 * The ways in which a node serves, each on a port of its own: tickets under the keys of the fleet, with early data; sessions of TLS 1.3 in
 * Redis, each good for one connection; session IDs of TLS 1.2 in Redis, in memory before Redis, and in memcached.
 */
export const services = ['tickets', 'handles', 'ids', 'twoLevel', 'memcached'] as const;
export type Service = (typeof services)[number];

/** What a node is told when it starts. Times in milliseconds. */
export interface NodeSettings {
  readonly name: string;
  readonly redisPort: number;
  readonly memcachedPort: number;
  /** Which client library it asks Redis with. */
  readonly redisLibrary: 'redis' | 'ioredis';
  /** What all nodes have and Redis has not, in hexadecimal: 32 bytes each, and a name of 16. */
  readonly keySecret: string;
  readonly storeKey: { readonly name: string; readonly secret: string };
  readonly keyTimes: {
    readonly sealingPeriod: number;
    readonly openingPeriod: number;
    readonly publishAhead: number;
    readonly pollInterval: number;
  };
  /** How far ahead its clock is; less than 0 is behind. */
  readonly clockOffset: number;
  /** `own` and `memory` are what a fleet must not have: the controls do. */
  readonly ticketKeys: 'shared' | 'own';
  readonly replayGuard: 'redis' | 'memory';
  readonly certificate: 'trusted' | 'untrusted';
}

/** What a client asks: an identifier that nobody has used before, and nothing else. */
export const requestLength = 16;

/** What a node answers, as a line of JSON. */
export interface Reply {
  readonly node: string;
  readonly mode: string;
  /** Why the handshake was a full one, and why early data was not read, in the server's words. */
  readonly reason?: string;
  readonly earlyDataReason?: string;
}

/** Of one node at one moment, garbage just collected. Bytes. */
export interface NodeReport {
  readonly name: string;
  /** Milliseconds for which it stood still, at the longest, since it was asked last: it, its machine, or what else runs there. */
  readonly longestStall: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly residentSet: number;
  readonly connections: number;
  /** Of all flights with early data since it started, those of recorders included: how many of each fate. */
  readonly earlyData: Readonly<Record<string, number>>;
  readonly keys: FleetKeyStatus;
  /** The name of the key that seals, in hexadecimal. */
  readonly sealingKey: string | undefined;
}

export type FromNode =
  | { readonly type: 'ready'; readonly ports: Readonly<Record<Service, number>> }
  /** The application has read this request as early data. */
  | { readonly type: 'early'; readonly id: string }
  | { readonly type: 'report'; readonly report: NodeReport };

export interface ToNode {
  readonly type: 'report';
}

/** Where the balancer may send a connection. */
export interface Destination {
  readonly name: string;
  readonly ports: Readonly<Record<Service, number>>;
}

export type ToBalancer =
  | { readonly type: 'destinations'; readonly destinations: readonly Destination[] }
  | { readonly type: 'served'; readonly service: Service; readonly clientPort: number };

export type FromBalancer =
  | { readonly type: 'ready'; readonly ports: Readonly<Record<Service, number>> }
  /** To whom the latest connection from that port went. */
  | { readonly type: 'served'; readonly name: string | undefined };
