/** Clients of `serve` in a test file, none of which outlives its test, and the command itself, which lives as long as the file. */
import { connect as connectTcp, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import type { ClientOptions } from '../../src/connection/options.js';
import { Command, type Line, type ServeProcess } from './command.js';
import { RecordClient } from './record-client.js';

export const request = 'GET / HTTP/1.0\r\n\r\n';

export interface Visit {
  readonly visitor: RecordClient;
  readonly sessions: RecordClient['sessions'];
  /** What the server says of it. */
  readonly line: Line | undefined;
}

export class Visitors {
  readonly #sockets = new Set<Socket>();

  client(
    { port }: Pick<ServeProcess, 'port'>,
    options?: Partial<ClientOptions>,
    early?: (c: Connection) => void,
  ): RecordClient {
    const made = new RecordClient(port, options, early);
    this.#sockets.add(made.socket);
    return made;
  }

  /** A bare TCP connection, whose errors are nobody's. */
  tcp({ port }: Pick<ServeProcess, 'port'>): Socket {
    const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#sockets.add(socket.on('error', () => undefined));
    return socket;
  }

  /** Request, answer, close_notify both ways. With `early` the request goes as far as that says before the handshake. */
  async visit(
    server: ServeProcess,
    options?: Partial<ClientOptions>,
    early?: (connection: Connection) => void,
  ): Promise<Visit> {
    const visitor = await this.client(server, options, early).opened();
    const [line] = await server.take(1);
    if (line?.['earlyData'] !== 'accepted') visitor.write(request);
    await visitor.until(({ records }) => records.length > 0);
    visitor.close();
    await visitor.until(({ ended }) => ended);
    return { visitor, sessions: visitor.sessions, line };
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

/** To be called once at the top of a test file. */
export function useVisitors(): Visitors {
  const visitors = new Visitors();
  afterEach(() => {
    visitors.destroy();
  });
  return visitors;
}

/** The command for this file, built before its first test; `start` runs then. */
export function useCommand(start: (command: Command) => Promise<void> = () => Promise.resolve()): () => Command {
  let command: Command | undefined;
  beforeAll(async () => {
    command = await Command.build();
    await start(command);
  });
  afterAll(() => command?.remove());
  return () => {
    if (command === undefined) throw new Error('the command is not built yet');
    return command;
  };
}
