/** A TCP relay on loopback that gives each connection to the next server in turn, as a load balancer does that looks at nothing. */
import { connect, createServer, type Socket } from 'node:net';
import { portOf } from '../../../src/cli/demo/relay.js';

export interface RoundRobin {
  readonly port: number;
  /** Connections so far, by the order of the servers. */
  readonly counts: readonly number[];
  close(): Promise<void>;
}

export async function startRoundRobin(ports: readonly number[]): Promise<RoundRobin> {
  const counts = ports.map(() => 0);
  const open = new Set<Socket>();
  let turn = 0;
  const relay = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const index = turn++ % ports.length;
    counts[index]!++;
    const server = connect({ host: '127.0.0.1', port: ports[index]!, noDelay: true, allowHalfOpen: true });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => open.delete(from));
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(relay),
    counts,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        relay.close(() => resolve());
      }),
  };
}
