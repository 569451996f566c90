/**
 * `tls-resume serve`: a server to be tested against, as `openssl s_server -www` is. It takes whatever comes, bounded in
 * connections and time, and ends by a signal only.
 */
import { createServer, type Server } from 'node:net';
import { refuse } from './failure.js';
import type { ServeFlags } from './flags.js';
import { inWords } from './handshake-line.js';
import { ServedConnection, type Service } from './served-connection.js';
import { serveSettings } from './serve-settings.js';

/** Connections at one time; more are closed as they come. */
const maxConnections = 10_000;
/** Milliseconds that open connections have to end after a signal. */
const drainTimeout = 5_000;
/** Milliseconds that whoever reads the lines has to read the last ones. */
const lastLinesTimeout = 1_000;
/** Characters. */
const maxUnreadLength = 16 * 1024 * 1024;

/** Resolves when the server listens. Throws `UsageError` for options that cannot work. */
export async function serve(flags: ServeFlags): Promise<void> {
  const print = printer(flags.json === true);
  const service: Service = {
    settings: await serveSettings(flags),
    manner: flags.echo === true ? 'echo' : 'www',
    report: print,
  };
  const connections = new Set<ServedConnection>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = new ServedConnection(socket, service);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  server.maxConnections = maxConnections;
  const { address: host, port } = await listen(server, flags);
  // Out of file descriptors, for example: that passes.
  server.on('error', (error) => console.error(`tls-resume: ${error.message}`));
  const drain = () => {
    server.close();
    for (const connection of connections) connection.drain();
    const timer = setTimeout(() => {
      for (const connection of connections) connection.end();
    }, drainTimeout);
    server.once('close', () => {
      clearTimeout(timer);
      setTimeout(() => process.exit(), lastLinesTimeout).unref();
    });
  };
  // The second signal ends the process as it always does.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, drain);
  print({ event: 'listening', host, port });
}

async function listen(server: Server, { host, port }: ServeFlags): Promise<{ address: string; port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((error: unknown) => refuse(`${host}:${port}`, error));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address : { address: host, port };
}

/** Connections that wait to be accepted: a test driver may open a thousand at once. */
const backlog = 1024;

type Line = Parameters<Service['report']>[0] | { event: 'listening'; host: string; port: number };

/** Lines that nobody reads wait in memory, up to {@link maxUnreadLength}; those after are dropped. */
function printer(json: boolean): (line: Line) => void {
  return (line) => {
    if (process.stdout.writableLength > maxUnreadLength) return;
    process.stdout.write(`${json ? JSON.stringify(line) : sentence(line)}\n`);
  };
}

function sentence(line: Line): string {
  if (line.event === 'listening') return `listening on ${line.host}:${line.port}`;
  return line.event === 'handshake' ? inWords(line) : `${line.message} (${line.code})`;
}
