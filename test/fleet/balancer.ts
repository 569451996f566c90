/**
 * A TCP load balancer that looks at nothing: each connection goes to a node by chance, and where connecting is refused to another one. It
 * remembers which node each client's port went to, so that a connection that was cut can be told from one that failed.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { portOf } from '../../src/cli/demo/relay.js';
import type { Chance } from '../soak/chance.js';
import type { Member } from './member.js';
import type { Service } from './protocol.js';

export class Balancer {
  readonly #service: Service;
  readonly #members: () => readonly Member[];
  readonly #chance: Chance;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** By the client's port: as many entries as there are ports, at the most. */
  readonly #served = new Map<number, Member>();

  private constructor(service: Service, members: () => readonly Member[], chance: Chance) {
    this.#service = service;
    this.#members = members;
    this.#chance = chance;
    // What a client says before there is a node for it waits.
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      this.#hold(client);
      this.#connect(client, [...this.#members()]);
    });
  }

  /** `members` says who takes connections now. */
  static async start(service: Service, members: () => readonly Member[], chance: Chance): Promise<Balancer> {
    const balancer = new Balancer(service, members, chance);
    balancer.#server.listen(0, '127.0.0.1', 1024);
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Who has served the latest connection from this port. */
  memberOf(clientPort: number): Member | undefined {
    return this.#served.get(clientPort);
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Goes to one of these, or to the next one where it does not answer. */
  #connect(client: Socket, candidates: Member[]): void {
    const [member] = candidates.splice(this.#chance.below(candidates.length), 1);
    if (member === undefined) {
      client.destroy();
      return;
    }
    const node = connect({ host: '127.0.0.1', port: member.ports[this.#service], noDelay: true, allowHalfOpen: true });
    const refused = () => {
      node.destroy();
      this.#connect(client, candidates);
    };
    node.once('error', refused);
    node.once('connect', () => {
      node.off('error', refused);
      this.#served.set(client.remotePort ?? 0, member);
      this.#hold(node);
      for (const [from, to] of [
        [client, node],
        [node, client],
      ] as const) {
        from.pipe(to);
        from.once('error', () => to.destroy());
      }
    });
  }

  #hold(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#open.delete(socket));
  }
}
