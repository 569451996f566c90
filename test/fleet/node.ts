/**
 * One server process of the fleet. It answers each request with its name and with what became of the handshake, and tells its parent
 * about each request that its application has read as early data, at once: a process that is killed has told all that it has read.
 */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { Server, TLSSocket } from '../../src/adapters/node/index.js';
import { toHex } from '../../src/bytes.js';
import { portOf } from '../../src/cli/demo/relay.js';
import { requestLength, services, type FromNode, type NodeReport, type NodeSettings, type Reply } from './protocol.js';
import { takeLongestStall } from './stall.js';
import { makeServices, type Services } from './services.js';

const settings = JSON.parse(process.argv[2] ?? '') as NodeSettings;
const fates: Record<string, number> = {};
let connections = 0;

const made = await makeServices(settings);
const ports: [string, number][] = [];
for (const service of services) {
  const server = made.servers[service];
  serve(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push([service, portOf(server)]);
}
process.on('message', () => void report(made).then((found) => tell({ type: 'report', report: found })));
process.once('disconnect', () => process.exit());
tell({ type: 'ready', ports: Object.fromEntries(ports) as Record<(typeof services)[number], number> });

function tell(message: FromNode): void {
  process.send?.(message);
}

function serve(server: Server): void {
  const read = new WeakSet<TLSSocket>();
  const answerOnce = (socket: TLSSocket) => {
    if (read.has(socket)) return;
    read.add(socket);
    answer(socket);
  };
  server.on('connection', () => connections++);
  server.on('earlyData', answerOnce).on('secureConnection', answerOnce);
  server.on('tlsClientError', () => undefined);
  // The only event that shows a socket before its handshake is complete, which that of a recorder never is.
  const watched = new WeakSet<TLSSocket>();
  server.on('keylog', (_line, socket) => {
    if (watched.has(socket)) return;
    watched.add(socket);
    socket.once('earlyData', ({ accepted, reason }) => {
      const fate = accepted ? 'accepted' : (reason ?? 'rejected');
      if (fate !== 'not_offered') fates[fate] = (fates[fate] ?? 0) + 1;
    });
  });
}

function answer(socket: TLSSocket): void {
  let request = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    request += bytes.toString('latin1');
    if (request.length !== requestLength) return;
    if (socket.earlyDataBytes > 0) tell({ type: 'early', id: request });
    if (socket.handshake === undefined) socket.once('secure', () => reply(socket));
    else reply(socket);
  });
}

/** The client ends the connection: it waits for tickets. */
function reply(socket: TLSSocket): void {
  const { mode = '', reason, earlyDataReason } = socket.handshake ?? {};
  const answered: Reply = {
    node: settings.name,
    mode,
    ...(reason !== undefined && { reason }),
    ...(earlyDataReason !== undefined && { earlyDataReason }),
  };
  socket.write(`${JSON.stringify(answered)}\n`);
}

async function report({ ring, distributor }: Services): Promise<NodeReport> {
  const longestStall = takeLongestStall(); // before it collects
  for (let again = 0; again < 3; again++) {
    await turn();
    globalThis.gc?.();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const sealing = ring.status().find(({ seals }) => seals);
  takeLongestStall();
  return {
    name: settings.name,
    longestStall,
    heapUsed,
    external,
    residentSet: rss,
    connections,
    earlyData: { ...fates },
    keys: distributor.status(),
    sealingKey: sealing && toHex(sealing.name),
  };
}
