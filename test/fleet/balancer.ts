/** The load balancer of the fleet, which is a thread of its own: see balancer-thread.ts. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Destination, FromBalancer, Service, ToBalancer } from './protocol.js';

type Ready = Extract<FromBalancer, { type: 'ready' }>;
type Served = Extract<FromBalancer, { type: 'served' }>;

export class Balancer {
  readonly ports: Readonly<Record<Service, number>>;
  readonly #thread: Worker;
  /** Answers come in the order of the questions. */
  readonly #asked: ((name: string | undefined) => void)[] = [];

  private constructor(thread: Worker, ports: Readonly<Record<Service, number>>) {
    this.#thread = thread;
    this.ports = ports;
    thread.on('message', ({ name }: Served) => this.#asked.shift()?.(name));
  }

  static async start(): Promise<Balancer> {
    const thread = new Worker(new URL('./balancer-thread.js', import.meta.url));
    const [{ ports }] = (await once(thread, 'message')) as [Ready];
    return new Balancer(thread, ports);
  }

  /** Connections that come from now on go to these. */
  balance(destinations: readonly Destination[]): void {
    this.#tell({ type: 'destinations', destinations: destinations.map(({ name, ports }) => ({ name, ports })) });
  }

  /** The name of the node that has served the latest connection from this port. */
  servedBy(service: Service, clientPort: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#tell({ type: 'served', service, clientPort });
    });
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  #tell(message: ToBalancer): void {
    this.#thread.postMessage(message);
  }
}
