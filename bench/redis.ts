/** A Redis of our own for as long as a group takes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface OwnRedis {
  readonly port: number;
  stop(): void;
}

/** `undefined`, and a line that says so, on a machine without redis-server. */
export async function startRedis(group: string): Promise<OwnRedis | undefined> {
  const port = 20_000 + (process.pid % 40_000);
  const server = spawn('redis-server', ['--port', `${port}`, '--save', '', '--bind', '127.0.0.1'], { stdio: 'pipe' });
  const failed = once(server, 'error').then(() => false);
  const ready = (async () => {
    for await (const line of server.stdout) if (String(line).includes('Ready to accept')) return true;
    return false;
  })();
  if (await Promise.race([ready, failed])) return { port, stop: () => void server.kill() };
  console.error(`${group}: left out, needs redis-server`);
  return undefined;
}
