/**
 * `tls-resume connect`: a client to look at servers with, as `openssl s_client` is, and to see them resume.
 */
import { existsSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { acceptAnyCertificateForTesting, nodeVerifier } from '../adapters/x509/node-verifier.js';
import { ascii, concat } from '../bytes.js';
import { clientSettings } from '../connection/config.js';
import type { ClientOptions } from '../connection/options.js';
import { UsageError } from '../errors.js';
import type { CertificateVerifier } from '../handshake/settings.js';
import { cryptoBackend, handshakeOptions } from './backend.js';
import { converse, type Outcome } from './client-connection.js';
import { ConnectionFailed, type Failure } from './failure.js';
import { keyLog, readFile } from './files.js';
import type { ConnectFlags } from './flags.js';
import { handshakeLine, inWords } from './handshake-line.js';
import { isWholeRequest } from './request-end.js';
import { readSessions, writeSessions } from './session-file.js';
import { SessionPool } from './session-pool.js';
import type { Target } from './values.js';

/** Throws `UsageError` for options that cannot work, and `ConnectionFailed` after the first connection that failed. */
export async function connect(target: Target, flags: ConnectFlags): Promise<void> {
  const options = await clientOptions(target, flags);
  const pool = new SessionPool(flags.sessionIn === undefined ? [] : readSessions(flags.sessionIn));
  const early = flags.earlyData === undefined ? new Uint8Array(0) : readFile(flags.earlyData);
  // Early data that is a whole request needs no other after it.
  const request = flags.request === undefined && isWholeRequest(early) ? new Uint8Array(0) : requestOf(flags.request);
  for (let connection = 0; connection <= flags.reconnect; connection++) {
    const session = pool.take();
    const settings = clientSettings({ ...options, ...(session !== undefined && { session }) });
    const received = (data: Uint8Array): void => {
      if (flags.json !== true) process.stdout.write(data);
    };
    const outcome = await converse({ target, settings, early, request, received });
    pool.put(outcome.sessions);
    print(target, outcome, flags.json === true);
    if (outcome.failure !== undefined) throw new ConnectionFailed();
  }
  if (flags.sessionOut !== undefined) writeSessions(flags.sessionOut, pool.sessions);
}

async function clientOptions({ host, port }: Target, flags: ConnectFlags): Promise<ClientOptions> {
  const name = flags.servername ?? host;
  const serverName = name === '' || isIP(name) !== 0 ? undefined : dnsName(name);
  const verifier = verifierOf(flags);
  return {
    now: Date.now,
    crypto: await cryptoBackend(flags),
    ...handshakeOptions(flags, 'client'),
    ...(serverName !== undefined && { serverName }),
    peerIdentity: `${host}:${port}`,
    tickets: flags.tickets,
    earlyData: flags.earlyData !== undefined,
    // Without server_name the certificate still has to name whom we called.
    verifyCertificate: (question) => verifier({ ...question, serverName: serverName ?? (name === '' ? host : name) }),
    // A session that stands on no verified certificate is not resumed where one is wanted.
    applicationContext: ascii(flags.insecure === true ? 'insecure' : 'verified'),
    ...keyLog(flags.keylog),
  };
}

/** RFC 6066 3: A-labels, no trailing dot. */
function dnsName(text: string): string {
  const name = domainToASCII(text.replace(/\.$/, ''));
  if (name === '') throw new UsageError('invalid_option', `--servername: ${text} is no host name`);
  return name;
}

/** The roots of Mozilla are parsed when a certificate is there to be judged. */
function verifierOf({ insecure, ca: path }: ConnectFlags): CertificateVerifier {
  if (insecure === true) return acceptAnyCertificateForTesting();
  if (path !== undefined) return nodeVerifier({ ca: readFile(path) });
  let verifier: CertificateVerifier | undefined;
  return (question) => (verifier ??= nodeVerifier())(question);
}

/** A file is sent as it is, a text up to the empty line that ends a request. */
function requestOf(text = 'GET / HTTP/1.0'): Uint8Array {
  if (text === '') return new Uint8Array(0);
  if (existsSync(text) && statSync(text).isFile()) return readFile(text);
  const bytes = new TextEncoder().encode(text);
  return isWholeRequest(bytes) ? bytes : concat(bytes, ascii('\r\n\r\n'));
}

function print({ host, port }: Target, { handshake, failure, truncated }: Outcome, json: boolean): void {
  const ok = failure === undefined;
  const line = handshake && handshakeLine(handshake);
  if (json) {
    if (line !== undefined) console.log(JSON.stringify({ ...line, ok }));
    if (!ok) console.log(JSON.stringify({ event: 'error', ...failure, ok }));
  } else if (line !== undefined) console.error(inWords(line));
  if (!ok) console.error(`tls-resume: ${host}:${port}: ${inOneLine(failure)}`);
  else if (truncated)
    console.error(`tls-resume: ${host}:${port}: the server went away without close_notify: data may be missing`);
}

function inOneLine({ code, alert, message }: Failure): string {
  const alertName = alert === undefined || alert === code ? '' : `, alert ${alert}`;
  return `${message} (${code}${alertName})`;
}
