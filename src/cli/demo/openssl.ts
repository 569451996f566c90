/** Runs the `openssl` program as the other side of a connection. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';

/** First line of `openssl version`, or `undefined` where there is no such program. */
export function opensslVersion(): string | undefined {
  const { status, stdout } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

export interface OpensslRun {
  readonly process: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Resolves when `pattern` was printed; rejects after `milliseconds`, or when the program ends without it. */
  printed(pattern: RegExp, milliseconds?: number): Promise<void>;
  /** Ends the program and waits for it. */
  stop(): Promise<void>;
}

export function runOpenssl(...parameters: readonly string[]): OpensslRun {
  const child = spawn('openssl', parameters, { stdio: 'pipe' });
  let output = '';
  let ended = false;
  let notify: () => void = () => undefined;
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('latin1');
    notify();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.stdin.on('error', () => undefined); // it may be gone before its input is
  child.once('close', () => {
    ended = true;
    notify();
  });
  return {
    process: child,
    output: () => output,
    printed: (pattern, milliseconds = 10_000) =>
      new Promise((resolve, reject) => {
        const failed = (why: string): void => {
          clearTimeout(timer);
          reject(new Error(`openssl ${parameters.join(' ')}: ${why}, expected ${String(pattern)}\n${output}`));
        };
        const timer = setTimeout(() => {
          failed('timed out');
        }, milliseconds);
        notify = () => {
          if (pattern.test(output)) {
            clearTimeout(timer);
            resolve();
          } else if (ended) failed('ended');
        };
        notify();
      }),
    stop: () =>
      new Promise((resolve) => {
        if (ended) {
          resolve();
          return;
        }
        child.once('close', () => {
          resolve();
        });
        child.kill();
      }),
  };
}
