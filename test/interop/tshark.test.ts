/**
 * tshark reads connections of ours: recorded on loopback, written as a capture with the client's key log, dissected. An
 * independent reader of every message that both our sides write, protected ones included.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, nodeCrypto, type ConnectOptions } from '../../src/adapters/node/index.js';
import type { Segment } from '../../src/cli/figure.js';
import { startRelay } from '../../src/cli/demo/relay.js';
import { MemoryReplayGuard } from '../../src/early-data/index.js';
import { handshakeTypes } from '../../src/parameters.js';
import { generateTicketKey, KeyRing } from '../../src/tickets/index.js';
import { converse } from '../support/conversation.js';
import { EchoServer } from '../support/echo-server.js';
import { authority, identities } from '../support/identities.js';
import { describeWithPeer, runProgram } from '../support/peers.js';
import { pcap } from '../support/pcap.js';

type MessageType = keyof typeof handshakeTypes;

const full: MessageType[] = [
  'client_hello',
  'server_hello',
  'certificate',
  'server_key_exchange',
  'server_hello_done',
  'client_key_exchange',
  'finished',
  'new_session_ticket',
  'finished',
];
const fullMutual: MessageType[] = [
  ...full.slice(0, 4),
  'certificate_request',
  'server_hello_done',
  'certificate',
  'client_key_exchange',
  'certificate_verify',
  ...full.slice(6),
];
const withoutTicket = (messages: readonly MessageType[]) => messages.filter((type) => type !== 'new_session_ticket');
const abbreviated: MessageType[] = ['client_hello', 'server_hello', 'finished', 'finished'];
const renewed: MessageType[] = ['client_hello', 'server_hello', 'new_session_ticket', 'finished', 'finished'];

const fullTls13: MessageType[] = [
  'client_hello',
  'server_hello',
  'encrypted_extensions',
  'certificate',
  'certificate_verify',
  'finished',
  'finished',
  'new_session_ticket',
  'new_session_ticket',
];
const mutualTls13: MessageType[] = [
  ...fullTls13.slice(0, 3),
  'certificate_request',
  ...fullTls13.slice(3, 6),
  'certificate',
  'certificate_verify',
  ...fullTls13.slice(6),
];
const pskTls13: MessageType[] = [
  'client_hello',
  'server_hello',
  'encrypted_extensions',
  'finished',
  'finished',
  'new_session_ticket',
];
/** A HelloRetryRequest is a ServerHello on the wire. */
const retried = (messages: readonly MessageType[]): MessageType[] => ['client_hello', 'server_hello', ...messages];

interface Recorded {
  readonly segments: readonly Segment[];
  readonly keyLog: string;
  readonly session: Buffer | undefined;
}

describeWithPeer('tshark', 'tshark reads what we write', (tshark) => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-tshark-'));
  const file = (name: string) => join(folder, name);
  const recordings: Recorded[] = [];
  const expected: { name: string; messages: readonly MessageType[]; resumed: boolean; requests: number }[] = [];
  const packets = { withKeys: [] as Packet[], withoutKeys: [] as Packet[], damaged: [] as Packet[] };
  const servers: EchoServer[] = [];

  beforeAll(async () => {
    await record();
    const captures = recordings.map(({ segments }) => segments);
    writeFileSync(file('capture.pcap'), pcap(captures));
    writeFileSync(file('damaged.pcap'), pcap([damaged(captures[0]!)]));
    writeFileSync(file('keys.txt'), recordings.map(({ keyLog }) => keyLog).join(''));
    const keys = ['-o', `tls.keylog_file:${file('keys.txt')}`];
    [packets.withKeys, packets.withoutKeys, packets.damaged] = await Promise.all([
      dissect('capture.pcap', ...keys),
      dissect('capture.pcap'),
      dissect('damaged.pcap', ...keys),
    ]);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('no malformed packet, and no warning or error on any', () => {
    expect(packets.withKeys.filter(isOdd)).toEqual([]);
    // The same question to a capture with one byte of the first ClientHello changed.
    expect(packets.damaged.filter(isOdd).map((packet) => packet['frame.number'])).toEqual([['4']]);
  });

  it('every handshake message of every connection, in order', () => {
    expect(expected.map(({ name }, i) => [name, typesOf(i)])).toEqual(
      expected.map(({ name, messages }) => [name, messages.map((type) => handshakeTypes[type])]),
    );
  });

  it('the resumptions', () => {
    const resumed = expected.filter((_, i) => stream(i).some((packet) => 'tls.resumed' in packet));
    expect(resumed).toEqual(expected.filter((connection) => connection.resumed));
  });

  it('application data of both sides, with the key log only', () => {
    const uris = (i: number, from = packets.withKeys) =>
      stream(i, from).flatMap((packet) => packet['http.request.uri'] ?? []);
    expect(expected.map((_, i) => uris(i))).toEqual(
      expected.map(({ requests }, i) => Array<string>(requests).fill(`/${i}`)),
    );
    expect(expected.map((_, i) => uris(i, packets.withoutKeys))).toEqual(expected.map(() => []));
  });

  /** Every way a connection of ours can go. */
  async function record(): Promise<void> {
    const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [generateTicketKey(nodeCrypto)] });
    const options = { ca: authority.cert, ALPNProtocols: ['http/1.1'], maxVersion: 'TLSv1.2' } as const;
    const own = { cert: [identities.ecdsa.cert, identities.rsa.cert], key: [identities.ecdsa.key, identities.rsa.key] };
    const server = await EchoServer.start({ ...options, ...own, ticketKeys: ring });
    const mutual = await EchoServer.start({ ...options, ...identities.ed25519, requestCert: true });
    servers.push(server, mutual);

    const request = () => `GET /${expected.length} HTTP/1.1\r\n\r\n`;
    const add = async (
      name: string,
      messages: readonly MessageType[],
      to: EchoServer,
      changes: ConnectOptions = {},
      words = request(),
    ): Promise<Recorded> => {
      const recording = await recordOne(to, { ...options, ...changes }, words);
      recordings.push(recording);
      // Of TLS 1.3 it does not say so.
      const resumed = messages === abbreviated || messages === renewed;
      // Early data that the server does not read are still there to be read by others.
      const requests = changes.earlyData !== undefined && words !== '' ? 3 : 2;
      expected.push({ name, messages, resumed, requests });
      return recording;
    };

    const ticket = await add('full', full, server);
    await add('ticket', abbreviated, server, sessionOf(ticket));
    ring.rotate(generateTicketKey(nodeCrypto));
    await add('ticket renewed', renewed, server, sessionOf(ticket));
    server.server.setTicketKeys(new KeyRing({ crypto: nodeCrypto, now: Date.now, automaticRotation: true }));
    await add('ticket refused', full, server, sessionOf(ticket));

    const id = await add('session ID given', withoutTicket(full), server, { tickets: false });
    await add('session ID', abbreviated, server, { ...sessionOf(id), tickets: false });

    const known = await add('client certificate', fullMutual, mutual, identities.client);
    await add('client certificate, ticket', abbreviated, mutual, { ...identities.client, ...sessionOf(known) });

    await add('ChaCha20', full, server, { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', ecdhCurve: 'P-256' });
    await add('SHA-384', full, server, { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', ecdhCurve: 'P-384:P-256' });

    const own13 = { ...own, ca: authority.cert, ALPNProtocols: ['http/1.1'] };
    const server13 = await EchoServer.start({
      ...own13,
      earlyData: {
        maxSize: 1000,
        replayGuard: new MemoryReplayGuard({ now: Date.now }),
        ticketsAreOfThisProcessAlone: true,
      },
    });
    const mutual13 = await EchoServer.start({ ...own13, requestCert: true });
    const p384 = await EchoServer.start({ ...own13, ecdhCurve: 'P-384', ticketKeys: server13.server.getTicketKeys() });
    servers.push(server13, mutual13, p384);
    const tls13 = { maxVersion: 'TLSv1.3' } as const;

    const first = await add('TLS 1.3', fullTls13, server13, tls13);
    await add('TLS 1.3, ticket', pskTls13, server13, { ...tls13, ...sessionOf(first) });
    const chacha = { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' };
    const more = await add('TLS 1.3, ChaCha20', fullTls13, server13, { ...tls13, ...chacha });
    const early = { ...tls13, ...sessionOf(more), ...chacha, earlyData: Buffer.from(request()) };
    const withEnd: MessageType[] = [...pskTls13.slice(0, 4), 'end_of_early_data', ...pskTls13.slice(4)];
    await add('TLS 1.3, early data', withEnd, server13, early, '');
    await add('TLS 1.3, early data rejected', retried(pskTls13), p384, {
      ...early,
      earlyData: Buffer.from(request()),
    });
    await add('TLS 1.3, client certificate', mutualTls13, mutual13, { ...tls13, ...identities.client });
    await add('TLS 1.3, retried', retried(fullTls13), p384, { ...tls13, ciphers: 'TLS_AES_256_GCM_SHA384' });
  }

  async function recordOne(to: EchoServer, options: ConnectOptions, words: string): Promise<Recorded> {
    const relay = await startRelay(to.port);
    const socket = connect({ host: '127.0.0.1', port: relay.port, servername: 'example.test', ...options });
    const { keyLog, sessions } = await converse(socket, words);
    const segments = relay.take();
    await relay.close();
    return { segments, keyLog, session: sessions[0] };
  }

  /** The fields asked for below, of each packet; those that it lacks are absent. */
  async function dissect(capture: string, ...parameters: string[]): Promise<Packet[]> {
    const wanted = fields.flatMap((field) => ['-e', field]);
    const reading = ['-n', '-r', file(capture), ...parameters, '-T', 'json', ...wanted];
    const { status, stdout, stderr } = await runProgram(tshark.path, reading);
    if (status !== 0) throw new Error(`tshark ended with status ${String(status)}:\n${stderr}`);
    const dissected = JSON.parse(stdout) as { _source: { layers: Packet } }[];
    return dissected.map(({ _source }) => _source.layers);
  }

  function stream(number: number, from = packets.withKeys): Packet[] {
    return from.filter((packet) => packet['tcp.stream']?.[0] === String(number));
  }

  function typesOf(number: number): number[] {
    return stream(number).flatMap((packet) => (packet['tls.handshake.type'] ?? []).map(Number));
  }
});

const fields = [
  'frame.number',
  'tcp.stream',
  'tls.handshake.type',
  'tls.resumed',
  'http.request.uri',
  '_ws.malformed',
  '_ws.expert.severity',
  '_ws.expert.message',
] as const;
type Packet = Readonly<Partial<Record<(typeof fields)[number], readonly string[]>>>;

/** Of an expert's remarks. Below are notes, such as that a session is resumed, and chat. */
const warning = 0x600000;

function isOdd(packet: Packet): boolean {
  return (
    '_ws.malformed' in packet || (packet['_ws.expert.severity'] ?? []).some((severity) => Number(severity) >= warning)
  );
}

function sessionOf({ session }: Recorded): ConnectOptions {
  if (session === undefined) throw new Error('no session came');
  return { session };
}

/** The first extension of the ClientHello says that it is longer than all of them. */
function damaged([clientHello, ...rest]: readonly Segment[]): Segment[] {
  const bytes = clientHello!.bytes.slice();
  const suites = 5 + 4 + 2 + 32 + 1;
  const firstExtension = suites + 2 + bytes[suites + 1]! + 2 + 2;
  bytes[firstExtension + 2] = 0xff;
  return [{ from: 'client', bytes }, ...rest];
}
