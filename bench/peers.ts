/**
 * `node:tls` on both ends, in memory: the same handshakes as ours, with the same certificate, group and cipher suite.
 *
 * A server object takes the connections, as in any program; sessions and tickets go the ways that Node documents.
 */
import { constants, createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { recordLength, recordsPerRun } from './bulk.js';
import { certificatePem, privateKeyPem, serverName } from './credentials.js';
import { endPair, socketPair, type SocketPair } from './socket-pair.js';

/** What `node:tls` can do: its TLS 1.3 has neither psk_ke nor early data. */
export type PeerKind = 'TLSv1.2 full' | 'TLSv1.2 session_id' | 'TLSv1.2 ticket' | 'TLSv1.3 full' | 'TLSv1.3 psk_dhe_ke';

/** One handshake of both ends a call; it rejects where it is not of the kind that was asked for. */
export async function nodeTlsHandshake(kind: PeerKind): Promise<() => Promise<void>> {
  const connectPair = nodeTlsPairs(kind);
  if (kind.endsWith('full')) return async () => endPair(await connectPair(), false);
  const first = await connectPair();
  const session = first.session ?? first.client.getSession();
  endPair(first, false);
  // The same ticket again and again, in TLS 1.3 too: a resumption of node:tls brings no new one, while ours does.
  return async () => endPair(await connectPair(session), true);
}

/** Connects both ends; `session` is offered. */
export function nodeTlsPairs(kind: PeerKind): (session?: Buffer) => Promise<SocketPair<TLSSocket>> {
  const common = kind.startsWith('TLSv1.3') ? tls13 : tls12;
  const bySessionId = kind === 'TLSv1.2 session_id';
  const secureContext = createSecureContext({ ...common, ca: certificatePem });
  const secureOptions = bySessionId ? constants.SSL_OP_NO_TICKET : 0;
  const server = createServer({ ...common, key: privateKeyPem, cert: certificatePem, secureOptions });
  if (bySessionId) {
    const sessions = new Map<string, Buffer>();
    server.on('newSession', (id, data, done) => {
      sessions.set(id.toString('latin1'), data);
      done();
    });
    server.on('resumeSession', (id, done) => {
      done(null, sessions.get(id.toString('latin1')) ?? null);
    });
  }
  return (session) =>
    socketPair(
      server,
      (socket) => connect({ socket, secureContext, servername: serverName, ...(session && { session }) }),
      common === tls13 && session === undefined,
    );
}

// P-256 is the certificate's curve (RFC 8422 5.1); keys are exchanged on the first.
const tls12 = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  ecdhCurve: 'X25519:P-256',
} as const;
const tls13 = { ...tls12, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const;

/** The same as `bulk`, through the sockets of `node:tls`. */
export async function nodeTlsBulk(version: 'TLSv1.2' | 'TLSv1.3'): Promise<() => Promise<void>> {
  return socketBulk(await nodeTlsPairs(`${version} full`)());
}

/** All writes of a run at once: waiting for each to arrive costs Node's streams more. */
export function socketBulk({ client, server }: { client: Duplex; server: Duplex }): () => Promise<void> {
  const data = Buffer.alloc(recordLength, 0x2a);
  let missing = 0;
  let arrived: () => void = () => undefined;
  server.on('data', (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing === 0) arrived();
  });
  return () =>
    new Promise<void>((resolve) => {
      missing = recordsPerRun * recordLength;
      arrived = resolve;
      for (let i = 0; i < recordsPerRun; i++) client.write(data);
    });
}

/**
 * RFC 5077 tickets as a server writes them down on `node:crypto` alone, one cipher and one HMAC object a ticket: the cases of
 * `tickets.ts`, without key ring and counters.
 */
export function nodeCryptoTicketCases(): { case: string; run: () => void }[] {
  const keyName = Buffer.alloc(16, 1);
  const aesKey = Buffer.alloc(16, 2);
  const hmacKey = Buffer.alloc(32, 3);
  const state = Buffer.alloc(110, 4);
  const seal = (): Buffer => {
    const iv = randomBytes(16);
    const cipher = createCipheriv('aes-128-cbc', aesKey, iv);
    const encrypted = Buffer.concat([cipher.update(state), cipher.final()]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(encrypted.length);
    const body = Buffer.concat([keyName, iv, length, encrypted]);
    return Buffer.concat([body, createHmac('sha256', hmacKey).update(body).digest()]);
  };
  const open = (ticket: Buffer): Buffer | undefined => {
    if (!ticket.subarray(0, 16).equals(keyName)) return undefined;
    const body = ticket.subarray(0, -32);
    const mac = createHmac('sha256', hmacKey).update(body).digest();
    if (!timingSafeEqual(mac, ticket.subarray(-32))) return undefined;
    const decipher = createDecipheriv('aes-128-cbc', aesKey, ticket.subarray(16, 32));
    return Buffer.concat([decipher.update(body.subarray(34)), decipher.final()]);
  };
  const ticket = seal();
  const forged = Buffer.from(ticket);
  forged[forged.length - 1]! ^= 1;
  return [
    { case: 'seal', run: () => void seal() },
    { case: 'open', run: () => void open(ticket) },
    { case: 'reject', run: () => void open(forged) },
  ];
}
