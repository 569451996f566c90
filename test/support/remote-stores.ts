/** Real Redis and memcached on loopback ports, and the clients that applications have for them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../src/remote/redis-client.js';
import { freePort, requirePeer, startServerProcess, type ServerProcess } from './peers.js';

type Skip = (reason: string) => never;

/** An empty Redis that keeps nothing on disk; on `port` again, where one has died. */
export function startRedis(skip: Skip, port?: number): Promise<ServerProcess> {
  return startInFolder(skip, { arguments: redisArguments, ready: /Ready to accept connections/, port });
}

function redisArguments(port: number): string[] {
  return ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'];
}

/** A cluster of three masters without replicas, put together by hand as `redis-cli --cluster create` would. */
export async function startRedisCluster(skip: Skip): Promise<readonly ServerProcess[]> {
  const nodes: ServerProcess[] = [];
  const busPorts: number[] = [];
  for (let i = 0; i < 3; i++) {
    const busPort = await freePort();
    nodes.push(
      await startInFolder(skip, {
        arguments: (port) => [...redisArguments(port), '--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
        ready: /Ready to accept connections/,
      }),
    );
    busPorts.push(busPort);
  }
  const clients = nodes.map(({ port }) => new Redis(port, '127.0.0.1'));
  const [first, ...others] = clients;
  for (const [i, client] of clients.entries()) {
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', Math.ceil((i * 16384) / 3), Math.ceil(((i + 1) * 16384) / 3) - 1);
  }
  for (const [i] of others.entries())
    await first?.call('CLUSTER', 'MEET', '127.0.0.1', nodes[i + 1]?.port ?? 0, busPorts[i + 1] ?? 0);
  for (const client of clients) {
    while (!/cluster_state:ok[^]*cluster_known_nodes:3/.test(String(await client.call('CLUSTER', 'INFO'))))
      await delay(20);
    client.disconnect();
  }
  return nodes;
}

/** A server with a folder of its own, which goes with it: it reads what an earlier one has left where it starts. */
async function startInFolder(
  skip: Skip,
  options: {
    arguments: (port: number) => string[];
    ready: RegExp;
    files?: Record<string, string>;
    port?: number | undefined;
  },
): Promise<ServerProcess> {
  const command = requirePeer('redis-server', skip).path;
  const cwd = await mkdtemp(join(tmpdir(), 'redis-'));
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(cwd, name), text);
  const { ready, port } = options;
  const own = port === undefined ? {} : { port };
  const server = await startServerProcess({ command, cwd, arguments: options.arguments, ready, ...own });
  return {
    ...server,
    async stop() {
      await server.stop();
      await rm(cwd, { recursive: true, force: true });
    },
  };
}

/** A sentinel that watches the Redis on `port` under the name `primary`. */
export function startSentinel(skip: Skip, port: number): Promise<ServerProcess> {
  return startInFolder(skip, {
    files: { 'sentinel.conf': `sentinel monitor primary 127.0.0.1 ${port} 1\n` },
    arguments: (own) => ['sentinel.conf', '--sentinel', '--port', String(own), '--bind', '127.0.0.1'],
    ready: /monitor master primary/,
  });
}

export async function startMemcached(skip: Skip, port?: number): Promise<ServerProcess> {
  const server = await startServerProcess({
    command: requirePeer('memcached', skip).path,
    ...(port !== undefined && { port }),
    arguments: (own) => ['-l', '127.0.0.1', '-p', String(own), '-U', '0', '-u', 'root'],
    ready: 'accepts_connections',
  });
  return {
    ...server,
    async stop() {
      kill(server); // SIGTERM takes it a second
      await server.stop();
    },
  };
}

/** SIGKILL, also where it is gone already. */
export function kill(server: ServerProcess): void {
  try {
    process.kill(server.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Stops a server from doing anything until it gets SIGCONT. */
export async function pause(server: ServerProcess): Promise<void> {
  process.kill(server.pid, 'SIGSTOP');
  await delay(50); // its threads stop one after the other
}

export interface ConnectedRedis {
  readonly client: RedisClient;
  close(): void;
}

/** Clients of Redis as docs/stores.md recommends to make them: they fail at once while there is no connection, and look for one anew. */
export const redisLibraries = [
  {
    library: 'redis',
    async connect(port: number): Promise<ConnectedRedis> {
      const reconnectStrategy = () => 50;
      const client = createClient({
        socket: { host: '127.0.0.1', port, reconnectStrategy },
        disableOfflineQueue: true,
      });
      client.on('error', () => undefined);
      await client.connect();
      return { client, close: () => client.destroy() };
    },
  },
  {
    library: 'ioredis',
    async connect(port: number): Promise<ConnectedRedis> {
      const client = new Redis({
        host: '127.0.0.1',
        port,
        lazyConnect: true,
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        retryStrategy: () => 50,
      });
      client.on('error', () => undefined);
      await client.connect();
      return { client, close: () => client.disconnect() };
    },
  },
] as const;
