/** A server of ours on loopback that says a line back and ends, and tells how each connection went. */
import { createServer, type Server, type ServerOptions, type TLSSocket } from '../../src/adapters/node/index.js';
import { portOf } from '../../src/cli/demo/relay.js';

/** A connection whose handshake is complete, or why it never was. */
type Outcome = TLSSocket | Error;

export class EchoServer {
  readonly server: Server;
  readonly #outcomes: Outcome[] = [];
  readonly #waiting: ((outcome: Outcome) => void)[] = [];

  private constructor(options: ServerOptions) {
    this.server = createServer(options, (socket) => {
      socket.on('error', () => undefined); // `socket.errored` keeps it for the test
      echoLine(socket);
      this.#settle(socket);
    });
    this.server.on('tlsClientError', (error: Error) => this.#settle(error));
  }

  static async start(options: ServerOptions): Promise<EchoServer> {
    const echo = new EchoServer(options);
    await new Promise<void>((resolve) => echo.server.listen(0, '127.0.0.1', resolve));
    return echo;
  }

  get port(): number {
    return portOf(this.server);
  }

  /** How the next connection went that no earlier call was told of. */
  next(): Promise<Outcome> {
    const outcome = this.#outcomes.shift();
    return outcome === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(outcome);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  #settle(outcome: Outcome): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#outcomes.push(outcome);
    else waiting(outcome);
  }
}

function echoLine(socket: TLSSocket): void {
  const line: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    line.push(chunk);
    if (chunk.at(-1) === 0x0a) socket.end(Buffer.concat(line));
  });
}
