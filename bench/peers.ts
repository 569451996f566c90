/**
 * `node:tls` on both ends, in memory: the same handshakes as ours, with the same certificate, group and cipher suite.
 *
 * A server object takes the connections, as in any program; sessions and tickets go the ways that Node documents.
 */
import { constants, createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls';
import type { HandshakeMode } from '../src/handshake/resumption.js';
import { bulkLength } from './bulk.js';
import { certificatePem, privateKeyPem, serverName } from './credentials.js';
import { endPair, socketPair, type SocketPair } from './socket-pair.js';

const common = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  // P-256 is the certificate's curve (RFC 8422 5.1); keys are exchanged on the first.
  ecdhCurve: 'X25519:P-256',
} as const;

/** One handshake of both ends a call; it rejects where the mode is not the one that was asked for. */
export async function nodeTlsHandshake(mode: HandshakeMode): Promise<() => Promise<void>> {
  const connectPair = nodeTlsPairs(mode);
  const session = mode === 'full' ? undefined : await firstSession(connectPair);
  return async () => endPair(await connectPair(session), mode);
}

/** Connects both ends; `session` is offered. */
export function nodeTlsPairs(mode: HandshakeMode): (session?: Buffer) => Promise<SocketPair<TLSSocket>> {
  const secureOptions = mode === 'session_id' ? constants.SSL_OP_NO_TICKET : 0;
  const secureContext = createSecureContext({ ...common, ca: certificatePem });
  const server = createServer({ ...common, key: privateKeyPem, cert: certificatePem, secureOptions });
  if (mode === 'session_id') {
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
    socketPair(server, (socket) =>
      connect({ socket, secureContext, servername: serverName, ...(session && { session }) }),
    );
}

async function firstSession(connectPair: () => Promise<SocketPair<TLSSocket>>): Promise<Buffer> {
  const pair = await connectPair();
  const session = pair.client.getSession();
  endPair(pair, 'full');
  if (session === undefined) throw new Error('node:tls: no session');
  return session;
}

/** 16 KiB each way a call, as `bulk` does it. */
export async function nodeTlsBulk(): Promise<() => Promise<void>> {
  const { client, server } = await nodeTlsPairs('full')();
  const data = Buffer.alloc(bulkLength, 0x2a);
  const transfer = (from: TLSSocket, to: TLSSocket) =>
    new Promise<void>((resolve) => {
      let missing = data.length;
      const count = (chunk: Buffer) => {
        missing -= chunk.length;
        if (missing > 0) return;
        to.off('data', count);
        resolve();
      };
      to.on('data', count);
      from.write(data);
    });
  return async () => {
    await transfer(client, server);
    await transfer(server, client);
  };
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
