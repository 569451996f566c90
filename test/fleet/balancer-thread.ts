/**
 * A TCP load balancer that looks at nothing: each connection goes to a node by chance, and where connecting is refused to another one. It
 * remembers which node each client's port went to, so that a connection that was cut can be told from one that failed.
 *
 * The surprising thing is the thread: a listening socket gets one connection for each turn of its event loop, and hundreds of clients
 * make long turns.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { portOf } from '../../src/cli/demo/relay.js';
import { chanceFrom } from '../soak/chance.js';
import { services, type Destination, type FromBalancer, type Service, type ToBalancer } from './protocol.js';

const chance = chanceFrom(2);
let destinations: readonly Destination[] = [];
/** The names of nodes by the client's port: as many entries as there are ports, at the most. */
const served = new Map<Service, Map<number, string>>();
const ports: [Service, number][] = [];

for (const service of services) {
  served.set(service, new Map());
  // What a client says before there is a node for it waits.
  const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => undefined);
    relay(service, client, [...destinations]);
  });
  server.listen(0, '127.0.0.1', 1024);
  await once(server, 'listening');
  ports.push([service, portOf(server)]);
}
parentPort?.on('message', (message: ToBalancer) => {
  if (message.type === 'destinations') destinations = message.destinations;
  else tell({ type: 'served', name: served.get(message.service)?.get(message.clientPort) });
});
tell({ type: 'ready', ports: Object.fromEntries(ports) as Record<Service, number> });

function tell(message: FromBalancer): void {
  parentPort?.postMessage(message);
}

/** Goes to one of these, or to the next one where it does not answer. */
function relay(service: Service, client: Socket, candidates: Destination[]): void {
  const [destination] = candidates.splice(chance.below(candidates.length), 1);
  if (destination === undefined) {
    client.destroy();
    return;
  }
  const { name, ports: nodePorts } = destination;
  const node = connect({ host: '127.0.0.1', port: nodePorts[service], noDelay: true, allowHalfOpen: true });
  const refused = () => relay(service, client, candidates);
  node.once('error', refused);
  node.once('connect', () => {
    node.off('error', refused).on('error', () => undefined);
    served.get(service)?.set(client.remotePort ?? 0, name);
    for (const [from, to] of [
      [client, node],
      [node, client],
    ] as const) {
      from.pipe(to);
      from.once('error', () => to.destroy());
    }
  });
}
