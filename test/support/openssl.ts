/**
 * The openssl program as the other side of a connection, and what it says of one: s_client on its terminal and s_server -www
 * on the page that it serves print a session in the same words.
 *
 * The surprising thing: that print holds the master secret, so a test can see that both sides mean the same session.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority, identities, type Identity } from './identities.js';
import { runProgram, startServerProcess, type Peer, type ServerProcess } from './peers.js';

/** Every kind of key that a certificate of TLS 1.2 holds here. */
export const certificateKinds = ['ecdsa', 'ecdsa_p384', 'ed25519', 'rsa', 'rsa_pss'] as const;
/** With the kind that TLS 1.2 takes only where its curve is configured. */
export type CertificateKind = (typeof certificateKinds)[number] | 'ecdsa_p521';

/** Kinds that the fixtures lack; openssl makes them. */
const madeKeys = {
  ecdsa_p384: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ecdsa_p521: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  rsa_pss: ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'],
} as const;

/** One openssl program with a temporary folder of certificates, configuration and whatever a test adds. */
export class Openssl {
  readonly #path: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'tls-resume-interop-'));
  readonly #servers: ServerProcess[] = [];
  readonly #identities = new Map<string, Identity>(Object.entries(identities));

  private constructor({ path }: Peer) {
    this.#path = path;
    this.write('ca.pem', authority.cert);
    this.write('ca.key', authority.key);
    this.write('openssl.cnf', configuration);
  }

  /** Makes the certificates that the fixtures lack. */
  static async start(peer: Peer): Promise<Openssl> {
    const openssl = new Openssl(peer);
    const made = Object.entries(madeKeys).map(([kind, newKey]) => openssl.#makeIdentity(kind, newKey));
    await Promise.all(made);
    for (const [kind, { cert, key }] of openssl.#identities) {
      openssl.write(`${kind}.pem`, cert);
      openssl.write(`${kind}.key`, key);
    }
    return openssl;
  }

  /** PEM for our own side. */
  identity(kind: CertificateKind): Identity {
    const found = this.#identities.get(kind);
    if (found === undefined) throw new Error(`no identity of kind ${kind}`);
    return found;
  }

  /** Path of a file in the folder. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), 'latin1');
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(this.file(name), content);
  }

  /** `openssl s_server` on a free loopback port: TLS 1.2, unless `parameters` say otherwise. */
  async server(kind: CertificateKind | 'other', ...parameters: readonly string[]): Promise<ServerProcess> {
    const own = ['-cert', `${kind}.pem`, '-key', `${kind}.key`];
    if (!parameters.some(choosesVersion)) own.push('-tls1_2');
    const server = await startServerProcess({
      command: this.#path,
      // Port 0 leaves the choice to the kernel, and s_server says what it was.
      arguments: () => ['s_server', '-accept', '127.0.0.1:0', ...own, ...parameters],
      ready: /ACCEPT [\d.]+:\d+/,
      cwd: this.#folder,
      environment: this.#environment,
    });
    this.#servers.push(server);
    const [, port] = await server.waitForOutput(/ACCEPT [\d.]+:(\d+)/);
    return { ...server, port: Number(port) };
  }

  /**
   * `openssl s_client`, which checks that it speaks with `example.test` and leaves when the server does. `input` goes to its
   * standard input at once. TLS 1.2 only and with a server name, unless `parameters` say otherwise.
   */
  client(port: number, input: string | Uint8Array, ...parameters: readonly string[]): Promise<OpensslRun> {
    return this.#run(this.#clientArguments(port, parameters), input);
  }

  /** `openssl s_client` that is spoken with step by step. */
  async clientProcess(port: number, ...parameters: readonly string[]): Promise<ServerProcess> {
    const client = await startServerProcess({
      command: this.#path,
      arguments: () => this.#clientArguments(port, parameters),
      ready: /Verify return code/,
      cwd: this.#folder,
      environment: this.#environment,
    });
    this.#servers.push(client);
    return client;
  }

  #clientArguments(port: number, parameters: readonly string[]): readonly string[] {
    const verification = ['-CAfile', 'ca.pem', '-verify_hostname', 'example.test', '-verify_return_error'];
    const connection = ['s_client', '-connect', `127.0.0.1:${port}`, ...verification];
    if (!parameters.some(choosesVersion)) connection.push('-tls1_2');
    if (!parameters.some((parameter) => /^-(no)?servername$/.test(parameter)))
      connection.push('-servername', 'example.test');
    return [...connection, ...parameters];
  }

  /** Any other of its commands. */
  async command(...parameters: readonly string[]): Promise<string> {
    const { status, output, errors } = await this.#run(parameters, '');
    if (status !== 0) throw new Error(`openssl ${parameters.join(' ')}: status ${String(status)}\n${errors}`);
    return output;
  }

  /** Ends all servers and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(parameters: readonly string[], input: string | Uint8Array): Promise<OpensslRun> {
    const { status, stdout, stderr } = await runProgram(this.#path, parameters, {
      input,
      holdInputMilliseconds: 10_000,
      cwd: this.#folder,
      environment: this.#environment,
    });
    return { status, output: stdout, errors: stderr };
  }

  /** Nothing of the machine's own openssl.cnf. */
  get #environment(): Record<string, string> {
    return { OPENSSL_CONF: this.file('openssl.cnf') };
  }

  async #makeIdentity(kind: string, newKey: readonly string[]): Promise<void> {
    const names = ['-subj', '/CN=example.test', '-addext', 'subjectAltName=DNS:example.test'];
    const issuer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '2', '-addext', 'basicConstraints=critical,CA:FALSE'];
    const files = ['-nodes', '-keyout', `${kind}.key`, '-out', `${kind}.pem`];
    await this.command('req', '-x509', ...newKey, ...names, ...issuer, ...files);
    this.#identities.set(kind, { cert: this.read(`${kind}.pem`), key: this.read(`${kind}.key`) });
  }
}

export interface OpensslRun {
  readonly status: number | null;
  /** Standard output. */
  readonly output: string;
  readonly errors: string;
}

/** What openssl says of one connection; secrets and IDs in hex, empty where there are none. */
export interface OpensslView {
  readonly reused: boolean;
  /** By OpenSSL's name. */
  readonly cipher: string;
  readonly sessionId: string;
  readonly masterSecret: string;
  readonly extendedMasterSecret: boolean;
  readonly secureRenegotiation: boolean;
}

/** Reads the print of s_client or s_server -www; fails where there is none, or more. */
export function opensslView(text: string): OpensslView {
  const views = opensslViews(text);
  if (views.length !== 1) throw new Error(`openssl prints ${views.length} sessions:\n${text}`);
  return views[0]!;
}

/** The prints of all connections, in order. */
export function opensslViews(text: string): OpensslView[] {
  return [...text.matchAll(printedSession)].map(
    ([, how, cipher = '', sessionId = '', masterSecret = '', extended]) => ({
      reused: how === 'Reused',
      cipher,
      sessionId: sessionId.toLowerCase(),
      masterSecret: masterSecret.toLowerCase(),
      extendedMasterSecret: extended === 'yes',
      secureRenegotiation: text.includes('Secure Renegotiation IS supported'),
    }),
  );
}

/** The name of the key that the printed session's ticket is sealed with, in hex: the first line of the dump. */
export function printedTicketKey(text: string): string {
  const dump = /TLS session ticket:\s+0000 - ((?:[0-9a-f]{2}[ -]){16})/.exec(text)?.[1];
  if (dump === undefined) throw new Error(`openssl prints no ticket:\n${text}`);
  return dump.replace(/[ -]/g, '');
}

function choosesVersion(parameter: string): boolean {
  return /^-(tls1.*|no_tls1.*|max_protocol|min_protocol)$/.test(parameter);
}

const printedSession =
  /^(New|Reused), TLSv1\.2, Cipher is (\S+)$.*?Session-ID: (\w*)$.*?Master-Key: (\w+)$.*?Extended master secret: (yes|no)$/gms;

/** `-ssl_config without-extended-master-secret`: OpenSSL 3.0 has no such option on its command line. */
const configuration = `openssl_conf = conf
[conf]
ssl_conf = ssl
[ssl]
without-extended-master-secret = without-extended-master-secret
[without-extended-master-secret]
Options = -ExtendedMasterSecret
[req]
distinguished_name = name
[name]
`;
