/**
 * `RedisClient`: what this package asks of a client of Redis, so that the clients of `redis` (node-redis: client, pool, cluster and
 * sentinel) and of `ioredis` (single and cluster) fit as they are. Which of them it is stays the application's choice.
 *
 * The surprising thing: node-redis has one method name with three parameter lists, and `ioredis` has that name too, with a fourth. So the
 * kinds are told apart by methods that only one of them has.
 *
 * Arguments and answers are text, for both libraries decode answers as UTF-8 unless told otherwise: bytes travel as {@link base64url}.
 */
import { fromAscii } from '../bytes.js';
import { UsageError } from '../errors.js';

/** A client of `ioredis`, `new Redis()` or `new Cluster()`. */
interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** A client of `redis`: `createClient()` or `createClientPool()`. */
interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A client of `redis`: `createCluster()`. */
interface NodeRedisCluster {
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  nodeClient(node: never): unknown;
}

/** A client of `redis`: `createSentinel()`. */
interface NodeRedisSentinel {
  sendCommand(isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  getMasterNode(): unknown;
}

/** A connected client of `redis` or `ioredis`, of any kind. What it does about lost connections is set where it is made. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster | NodeRedisSentinel;

/**
 * Sends one command and answers what Redis does; rejects where that is an error, and where there is no connection. In a cluster it goes to
 * the master of the slot of its first key, never to a replica, which may not have heard yet of what was deleted.
 */
export type RedisCommands = (command: string, ...args: readonly string[]) => Promise<unknown>;

/** The one way to send commands, whatever the client. Throws `UsageError` (`invalid_option`) for what is no client of Redis. */
export function redisCommands(client: RedisClient): RedisCommands {
  if ('call' in client) return async (command, ...args) => client.call(command, ...args);
  if (!('sendCommand' in client))
    throw new UsageError(
      'invalid_option',
      'client is no client of redis or ioredis: it has neither sendCommand nor call',
    );
  if ('nodeClient' in client)
    return async (command, ...args) => client.sendCommand(firstKey(command, args), false, [command, ...args]);
  if ('getMasterNode' in client) return async (command, ...args) => client.sendCommand(false, [command, ...args]);
  return async (command, ...args) => client.sendCommand([command, ...args]);
}

/** Of the commands that this package sends, those that run a script have two arguments before their keys, and some have no key. */
function firstKey(command: string, args: readonly string[]): string | undefined {
  if (command === 'EVAL' || command === 'EVALSHA') return args[1] === '0' ? undefined : args[2];
  return keyless.has(command) ? undefined : args[0];
}

const keyless = /* @__PURE__ */ new Set(['PING', 'PUBLISH', 'SCRIPT', 'TIME']);

/** Text of an answer, also of a client that was told to answer bytes; `undefined` for anything else. */
export function textOf(answer: unknown): string | undefined {
  if (typeof answer === 'string') return answer;
  return answer instanceof Uint8Array ? fromAscii(answer) : undefined;
}
