/** A server process of the fleet, as its parent sees it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromNode, NodeReport, NodeSettings, Service, ToNode } from './protocol.js';

/** Of the bundle, which stands beside this one. */
const program = fileURLToPath(new URL('./node.js', import.meta.url));
const patience = 30_000;

export class Member {
  readonly name: string;
  readonly ports: Readonly<Record<Service, number>>;
  /** When it was gone after it was killed, on the clock of `performance`; Infinity in between, when its kernel still accepts connections. */
  goneAt: number | undefined;
  readonly #child: ChildProcess;

  private constructor(name: string, ports: Readonly<Record<Service, number>>, child: ChildProcess) {
    this.name = name;
    this.ports = ports;
    this.#child = child;
  }

  /** Resolves when it listens. `onEarly` is told of each request that its application has read as early data. */
  static async start(settings: NodeSettings, onEarly: (id: string) => void): Promise<Member> {
    const child = fork(program, [JSON.stringify(settings)], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (message: FromNode) => {
      if (message.type === 'early') onEarly(message.id);
    });
    const { ports } = await answerOf(child, 'ready');
    return new Member(settings.name, ports, child);
  }

  async report(): Promise<NodeReport> {
    const answer = answerOf(this.#child, 'report');
    this.#child.send({ type: 'report' } satisfies ToNode);
    return (await answer).report;
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.goneAt = Infinity;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
    this.goneAt = performance.now();
  }
}

function answerOf<T extends FromNode['type']>(child: ChildProcess, type: T): Promise<Extract<FromNode, { type: T }>> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer);
      child.off('message', take).off('exit', end);
      act();
    };
    const take = (message: FromNode) => {
      if (isOf(message, type)) settle(() => resolve(message));
    };
    const end = () => settle(() => reject(new Error(`a node ended before it said ${type}`)));
    const timer = setTimeout(() => settle(() => reject(new Error(`a node did not say ${type}`))), patience);
    child.on('message', take).on('exit', end);
  });
}

function isOf<T extends FromNode['type']>(message: FromNode, type: T): message is Extract<FromNode, { type: T }> {
  return message.type === type;
}
