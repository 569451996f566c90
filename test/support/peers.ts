/**
 * Real programs on the other side: finding them, running them, and keeping servers no longer than their test.
 *
 * A missing program skips the tests that need it and prints why, so that `npm test` works on a machine with Node alone.
 * Under `CI=true` it fails them instead: an interop test that silently does not run proves nothing.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'vitest';

/** How each program is asked for its version, and the Debian package that brings it. */
const programs = {
  // Without the package apache2, which would start a server of its own.
  apache2: { versionArguments: ['-v'], debianPackage: 'apache2-bin' },
  curl: { versionArguments: ['--version'], debianPackage: 'curl' },
  haproxy: { versionArguments: ['-v'], debianPackage: 'haproxy' },
  memcached: { versionArguments: ['-V'], debianPackage: 'memcached' },
  nginx: { versionArguments: ['-v'], debianPackage: 'nginx-light' },
  openssl: { versionArguments: ['version'], debianPackage: 'openssl' },
  python3: { versionArguments: ['--version'], debianPackage: 'python3' },
  'redis-server': { versionArguments: ['--version'], debianPackage: 'redis-server' },
  tshark: { versionArguments: ['--version'], debianPackage: 'tshark' },
} as const satisfies Record<string, { versionArguments: readonly string[]; debianPackage: string }>;

export type PeerName = keyof typeof programs;

export interface Peer {
  readonly name: PeerName;
  /** Absolute path of the program. */
  readonly path: string;
  /** First line of what it says about its version. */
  readonly version: string;
}

const found = new Map<PeerName, Peer | undefined>();

/** The program and its version, or `undefined` where it is not on the PATH or does not start. */
export function findPeer(name: PeerName): Peer | undefined {
  if (!found.has(name)) found.set(name, lookUp(name));
  return found.get(name);
}

/**
 * The program, for one test: `it('...', ({ skip }) => { const openssl = requirePeer('openssl', skip); ... })`.
 * Absent, it skips the test with its reason; under `CI=true` it throws.
 */
export function requirePeer(name: PeerName, skip: (reason: string) => never): Peer {
  const peer = findPeer(name);
  if (peer !== undefined) return peer;
  if (process.env['CI'] === 'true') throw new Error(missing(name));
  printOnce(missing(name));
  return skip(missing(name));
}

/**
 * A `describe` whose tests all need the program. Absent, one skipped test that carries the reason as its name stands in
 * for them; under `CI=true` that test fails.
 */
export function describeWithPeer(name: PeerName, title: string, body: (peer: Peer) => void): void {
  describe(title, () => {
    const peer = findPeer(name);
    if (peer !== undefined) body(peer);
    else it(missing(name), ({ skip }) => void requirePeer(name, skip));
  });
}

export interface ServerProcess {
  /** The loopback port it was told to listen on. */
  readonly port: number;
  readonly pid: number;
  /** Everything it printed so far, standard output and standard error as they came. */
  output(): string;
  /** Waits until its output matches; rejects when it ends or the time is over. */
  waitForOutput(pattern: RegExp, timeoutMilliseconds?: number): Promise<RegExpMatchArray>;
  /** Writes to its standard input (s_server reads commands and data there). */
  write(text: string): void;
  /** Ends it, by SIGKILL if two seconds of SIGTERM were not enough. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  /** Program to run: `peer.path`. */
  readonly command: string;
  /** The loopback port that its configuration names. Default: a free one. */
  readonly port?: number;
  /** Its arguments, given its port. */
  readonly arguments: (port: number) => readonly string[];
  /** What it prints when it listens: `/ACCEPT/` for s_server. Or that a TCP connection is accepted, for those that say nothing. */
  readonly ready: RegExp | 'accepts_connections';
  /** How long it may take to become ready. Default 10 seconds. */
  readonly timeoutMilliseconds?: number;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcessWithoutNullStreams>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server on a loopback port and waits until it listens. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const port = options.port ?? (await freePort());
  const child = spawn(options.command, options.arguments(port), {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
  });
  running.add(child);
  let output = '';
  let ended: string | undefined;
  const collect = (chunk: string) => {
    output += chunk;
    child.emit('progress');
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  child.stdin.on('error', () => undefined); // a server that has ended does not read; its exit is what counts
  const exited = new Promise<void>((resolve) => {
    const end = (how: string) => {
      ended ??= how;
      running.delete(child);
      child.emit('progress');
      resolve();
    };
    child.once('error', (error) => {
      end(error.message);
    });
    child.once('close', (status, signal) => {
      end(`ended with ${signal ?? `status ${String(status)}`}`);
    });
  });

  const server: ServerProcess = {
    port,
    pid: child.pid ?? -1,
    output: () => output,
    waitForOutput(pattern, timeoutMilliseconds = 10_000) {
      return new Promise((resolve, reject) => {
        const settle = (action: () => void) => {
          clearTimeout(timer);
          child.off('progress', look);
          action();
        };
        const look = () => {
          const match = pattern.exec(output);
          if (match !== null) {
            settle(() => {
              resolve(match);
            });
          } else if (ended !== undefined) {
            fail(ended);
          }
        };
        const fail = (why: string) => {
          settle(() => {
            reject(new Error(`${options.command} ${why} before it printed ${String(pattern)}:\n${output}`));
          });
        };
        const timer = setTimeout(() => {
          fail(`took more than ${String(timeoutMilliseconds)} ms`);
        }, timeoutMilliseconds);
        child.on('progress', look);
        look();
      });
    },
    write(text) {
      child.stdin.write(text);
    },
    async stop() {
      if (ended !== undefined) return;
      child.kill('SIGTERM');
      await Promise.race([exited, delay(2_000, undefined, { ref: false })]);
      if (running.has(child)) child.kill('SIGKILL');
      await exited;
    },
  };

  try {
    if (options.ready !== 'accepts_connections') await server.waitForOutput(options.ready, options.timeoutMilliseconds);
    else await waitForAccept(server, () => ended, options.timeoutMilliseconds);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function waitForAccept(
  server: ServerProcess,
  ended: () => string | undefined,
  timeoutMilliseconds = 10_000,
): Promise<void> {
  const end = Date.now() + timeoutMilliseconds;
  while (Date.now() < end) {
    if (await accepts(server.port)) return;
    const how = ended();
    if (how !== undefined) throw new Error(`${how} before it accepted a connection:\n${server.output()}`);
    await delay(20);
  }
  throw new Error(`took more than ${timeoutMilliseconds} ms to accept a connection:\n${server.output()}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** Written to its standard input, which is then closed. Default: closed at once. */
  readonly input?: string | Uint8Array;
  /** Keeps standard input open this long after `input` (s_client leaves as soon as it closes). Default 0. */
  readonly holdInputMilliseconds?: number;
  /** Killed, and the promise rejected, after this time. Default 15 seconds. */
  readonly timeoutMilliseconds?: number;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. Does not block this process, so a server of ours can be its other side. */
export function runProgram(
  command: string,
  commandArguments: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { holdInputMilliseconds = 0, timeoutMilliseconds = 15_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
    });
    running.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.stdin.on('error', () => undefined); // it may end without reading; its status is what counts
    child.stdin.write(options.input ?? '');
    const endInput = setTimeout(() => child.stdin.end(), holdInputMilliseconds);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${command} took more than ${String(timeoutMilliseconds)} ms:\n${stdout}\n${stderr}`));
    }, timeoutMilliseconds);
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(endInput);
      clearTimeout(timer);
      running.delete(child);
      resolve({ status, stdout, stderr });
    });
  });
}

/** A loopback TCP port that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('no loopback port'));
      });
    });
  });
}

function lookUp(name: PeerName): Peer | undefined {
  // Debian keeps servers where only the PATH of root looks.
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
    } catch {
      continue;
    }
    const answer = spawnSync(path, programs[name].versionArguments, { encoding: 'utf8', timeout: 10_000 });
    const [version = ''] = (answer.stdout || answer.stderr).split('\n', 1);
    if (answer.status === 0) return { name, path, version };
  }
  return undefined;
}

const missing = (name: PeerName) =>
  `needs ${name} (Debian package ${programs[name].debianPackage}), which is not on the PATH`;

const printed = new Set<string>();
function printOnce(reason: string): void {
  if (printed.has(reason)) return;
  printed.add(reason);
  process.stderr.write(`skipped: ${reason}\n`);
}
