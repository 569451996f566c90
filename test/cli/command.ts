/** The command as a process of its own, bundled once for each test file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram, type BundledProgram } from '../support/bundle.js';
import { authority, identities } from '../support/identities.js';
import { runProgram, startServerProcess, type ProgramOptions, type ProgramResult } from '../support/peers.js';
import type { ServerProcess } from '../support/peers.js';

/** One line of `--json`. */
export type Line = Readonly<Record<string, unknown>>;

export class Command {
  /** For whatever a test writes; holds `ca.pem`, and `.pem` and `.key` of every identity. */
  readonly folder: string;
  readonly #program: BundledProgram;
  readonly #servers: ServeProcess[] = [];

  private constructor(program: BundledProgram) {
    this.folder = program.folder;
    this.#program = program;
  }

  static async build(): Promise<Command> {
    const command = new Command(await bundleProgram('src/cli/main.ts'));
    writeFileSync(command.file('ca.pem'), authority.cert);
    for (const [name, { cert, key }] of Object.entries(identities)) {
      writeFileSync(command.file(`${name}.pem`), cert);
      writeFileSync(command.file(`${name}.key`), key);
    }
    return command;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  run(parameters: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
    return runProgram(process.execPath, [this.file('main.mjs'), ...parameters], { cwd: this.folder, ...options });
  }

  /** `serve --json` on a free port, with the ECDSA identity unless `parameters` name another. */
  async serve(
    parameters: readonly string[] = [],
    environment: ProgramOptions['environment'] = {},
  ): Promise<ServeProcess> {
    const identity = parameters.includes('--cert') ? [] : ['--cert', 'ecdsa.pem', '--key', 'ecdsa.key'];
    const server = await ServeProcess.start(this, [...identity, ...parameters], environment);
    this.#servers.push(server);
    return server;
  }

  /** `connect --json` with the right name and authority; status and lines. */
  async connect(
    port: number,
    ...parameters: readonly string[]
  ): Promise<{ status: number | null; lines: Line[]; stderr: string }> {
    const trust = parameters.includes('--insecure') ? [] : ['--ca', 'ca.pem'];
    const name = parameters.includes('--servername') ? [] : ['--servername', 'example.test'];
    const run = await this.run(['connect', `127.0.0.1:${port}`, '--json', ...trust, ...name, ...parameters]);
    return { status: run.status, lines: linesOf(run.stdout), stderr: run.stderr };
  }

  async remove(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
    this.#program.remove();
  }
}

export class ServeProcess {
  readonly #process: ServerProcess;
  /** Lines that were handed out, the first one among them. */
  #taken = 1;
  readonly port: number;

  private constructor(process: ServerProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(
    command: Command,
    parameters: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<ServeProcess> {
    const process = await startServerProcess({
      command: globalThis.process.execPath,
      arguments: () => [command.file('main.mjs'), 'serve', '--port', '0', '--json', ...parameters],
      ready: /"listening"/,
      cwd: command.folder,
      environment,
    });
    const [first] = linesOf(process.output());
    return new ServeProcess(process, Number(first?.['port']));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The next lines that nobody has asked for yet. */
  async take(count: number): Promise<Line[]> {
    const start = this.#taken;
    this.#taken += count;
    await this.#process.waitForOutput(new RegExp(`^(?:.*\\n){${this.#taken}}`));
    return linesOf(this.#process.output()).slice(start, this.#taken);
  }

  /** Lines that nobody has asked for. */
  rest(): Line[] {
    return linesOf(this.#process.output()).slice(this.#taken);
  }

  /** Everything it printed, errors included. */
  output(): string {
    return this.#process.output();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

function linesOf(output: string): Line[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

/** The line of a full handshake, all defaults. */
export function fullHandshake(protocol: 'TLSv1.2' | 'TLSv1.3'): Line {
  return {
    event: 'handshake',
    protocol,
    cipherSuite: protocol === 'TLSv1.2' ? 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' : 'TLS_AES_128_GCM_SHA256',
    group: 'x25519',
    mode: 'full',
    resumed: false,
    reason: 'not_offered',
    helloRetryRequest: false,
    earlyData: 'none',
    earlyDataReason: 'not_offered',
    earlyDataBytes: 0,
    alpn: null,
    serverName: 'example.test',
  };
}
