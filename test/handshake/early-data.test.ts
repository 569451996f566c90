/** Early data (RFC 8446 2.3, 4.2.10, 4.5): when it is offered, and how it is read. `early-data-rejected.test.ts` has the rest. */
import { describe, expect, it } from 'vitest';
import { ascii, fromAscii, toHex } from '../../src/bytes.js';
import type { ClientOptions } from '../../src/connection/options.js';
import { TrafficSecret } from '../../src/key-schedule/tls13.js';
import { Deframer, type RawRecord } from '../../src/record/deframer.js';
import { tls13Protection } from '../../src/record/protection-tls13.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import { maxEarlyData } from '../support/attack-rig-tls13.js';
import { drain, makePair, pump, theEvent, type Changes, type End } from '../support/connections.js';
import {
  dataOf,
  clientMeets,
  feed,
  helloOf,
  outcome,
  saying,
  serverPair,
  typesOf,
  withExtensions,
} from '../support/tls13-rules.js';
import type { EncryptedExtensions } from '../../src/messages/index.js';
import { earlyText, makeWorld13 } from '../support/world-tls13.js';
import { misuse } from '../support/decoding.js';

const world = makeWorld13();
const { sent } = world;

function recordsOf(bytes: Uint8Array): RawRecord[] {
  const deframer = new Deframer();
  deframer.push(bytes.slice());
  const found: RawRecord[] = [];
  for (let raw = deframer.next(); raw !== undefined; raw = deframer.next()) found.push(raw);
  return found;
}

const refused = 'connection_not_open';

describe('a client', () => {
  it('R8446-E.5-1 offers no early data unless asked to', () => {
    const session = world.session();
    expect(typesOf(helloOf(world.client({ session })))).not.toContain('early_data');
    const pair = makePair(world.client({ session }), world.server());
    expect(pair.client.connection.earlyDataAllowance).toBe(0);
    expect(misuse(() => pair.client.connection.writeEarlyData(earlyText))).toBe(refused);
  });

  it('R8446-4.2.10-4 sends it with pre_shared_key, under the first PSK and its hash', () => {
    const sha384 = { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } as const;
    const session = [world.session(sha384, sha384), world.session()];
    const logs: string[] = [];
    const client = world.client({ session, earlyData: true, keyLog: (line) => logs.push(line) });
    expect(typesOf(helloOf(client)).slice(-2)).toEqual(['early_data', 'pre_shared_key']);
    logs.length = 0;
    const { client: end } = makePair(client, world.server());
    end.connection.writeEarlyData(earlyText);
    const [, secret] = /^CLIENT_EARLY_TRAFFIC_SECRET \w+ (\w+)/.exec(logs[0] ?? '') ?? [];
    expect(secret).toHaveLength(96);
    const bytes = Uint8Array.from(secret!.match(/../g)!, (byte) => parseInt(byte, 16));
    const keys = new TrafficSecret(client.crypto, 'sha384', bytes).keys('aes-256-gcm');
    const [hello, ccs, record] = recordsOf(end.connection.takeOutput());
    expect([hello!.contentType, ccs!.contentType, record!.contentType]).toEqual([22, 20, 23]);
    const opened = tls13Protection(client.crypto, 'aes-256-gcm', keys).open(23, record!.fragment);
    expect(fromAscii(opened.payload)).toBe('early data');
  });

  it('R8446-4.2.10-5 offers it only with suite and protocol of the ticket on offer', () => {
    const offers = (changes: Changes<ClientOptions>, ticket: Tls13Session) =>
      typesOf(helloOf(world.client({ session: ticket, earlyData: true, ...changes }))).includes('early_data');
    const session = world.session();
    expect(offers({}, session)).toBe(true);
    expect(offers({ cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] }, session)).toBe(false);
    const h2 = world.session({ alpnProtocols: ['h2'] }, { alpnProtocols: ['h2'] });
    expect(h2.alpnProtocol).toBe('h2');
    expect(offers({ alpnProtocols: ['http/1.1', 'h2'] }, h2)).toBe(true);
    expect(offers({ alpnProtocols: ['http/1.1'] }, h2)).toBe(false);
    expect(offers({}, h2)).toBe(false);
  });

  it('R8446-4.2.10-6 R9846-5.5-1 sends no more than the ticket allows, and nothing if it allows nothing', () => {
    const pair = makePair(world.client({ session: world.session(), earlyData: true }), world.server());
    const { connection } = pair.client;
    expect(connection.earlyDataAllowance).toBe(maxEarlyData);
    expect(misuse(() => connection.writeEarlyData(new Uint8Array(maxEarlyData + 1)))).toBe(refused);
    connection.writeEarlyData(new Uint8Array(maxEarlyData - 1));
    expect(connection.earlyDataAllowance).toBe(1);
    connection.writeEarlyData(new Uint8Array(1));
    expect(connection.earlyDataAllowance).toBe(0);
    expect(misuse(() => connection.writeEarlyData(new Uint8Array(1)))).toBe(refused);
    expect(outcome(pump(pair))).toBe('psk_dhe_ke');
    expect(theEvent(pair.server, 'handshake').earlyDataBytes).toBe(maxEarlyData);
    const none = world.client({ session: world.session({}, { earlyData: undefined }), earlyData: true });
    expect(typesOf(helloOf(none))).not.toContain('early_data');
    expect(makePair(none, world.server()).client.connection.earlyDataAllowance).toBe(0);
  });

  it('P-early-3 offers it only with a session whose chain is still accepted for the name; nothing follows a refusal', () => {
    const session = world.session();
    const refusing = world.client({
      session,
      earlyData: true,
      verifyCertificate: ({ resumed }) =>
        resumed
          ? { accepted: false, alert: 'unknown_ca', reason: 'test' }
          : { accepted: false, alert: 'bad_certificate', reason: 'test' },
    });
    expect(typesOf(helloOf(refusing))).not.toContain('early_data');
    const elsewhere = world.client({ session, earlyData: true, serverName: 'other.example' });
    expect(typesOf(helloOf(elsewhere))).not.toContain('early_data');
    // The server declines the PSK, shows a chain, and is refused: the alert is the last word.
    let judged = 0;
    const fickle = world.client({
      session,
      earlyData: true,
      verifyCertificate: (question) =>
        question.resumed
          ? world.client().verifyCertificate(question)
          : (judged++, { accepted: false, alert: 'unknown_ca', reason: 'test' }),
    });
    const pair = makePair(fickle, world.server({ applicationContext: ascii('another') }));
    pair.client.connection.writeEarlyData(earlyText);
    pump(pair);
    expect([outcome(pair), judged]).toEqual(['client: unknown_ca', 1]);
    expect(misuse(() => pair.client.connection.writeEarlyData(earlyText))).toBe(refused);
    expect(drain(pair.client)).toHaveLength(0);
  });

  it('R8446-4.2.10-14 that offered none is told that it was accepted: unsupported_extension', () => {
    const says = saying('encrypted_extensions', withExtensions({ type: 'early_data', data: {} }));
    expect(clientMeets(world.client(), world.server(), says)).toBe('client: unsupported_extension');
    expect(clientMeets(world.client({ session: world.session() }), world.server(), says)).toBe(
      'client: unsupported_extension',
    );
  });

  it('R8446-4.2.11-14 early_data accepted under any PSK but the first, or under none: illegal_parameter', () => {
    const accepting = saying(
      'encrypted_extensions',
      withExtensions<EncryptedExtensions>({ type: 'early_data', data: {} }),
    );
    const unknown = {
      ...world.session(),
      ticket: ascii('not of ours, but as long as a ticket has to be to be looked at'),
    };
    const client = world.client({ session: [unknown, world.session()], earlyData: true });
    expect(clientMeets(client, world.server(), accepting)).toBe('client: illegal_parameter');
    const declined = world.client({ session: unknown, earlyData: true });
    expect(clientMeets(declined, world.server(), accepting)).toBe('client: illegal_parameter');
  });

  it('R8446-4.2.10-2 early_data accepted with another protocol than the ticket’s: illegal_parameter', () => {
    const alpn = { alpnProtocols: ['h2', 'http/1.1'] };
    const session = world.session({ alpnProtocols: ['h2'] }, alpn);
    const says = saying('encrypted_extensions', withExtensions<EncryptedExtensions>({ type: 'early_data', data: {} }));
    const client = world.client({ session, earlyData: true, ...alpn });
    expect(clientMeets(client, world.server({ alpnProtocols: ['http/1.1'] }), says)).toBe('client: illegal_parameter');
    expect(clientMeets(client, world.server(), says)).toBe('client: illegal_parameter');
  });

  it('early_data accepted with another suite than the ticket’s: illegal_parameter', () => {
    const session = world.session({ cipherSuites: ['TLS_AES_128_GCM_SHA256'] });
    const says = saying('encrypted_extensions', withExtensions<EncryptedExtensions>({ type: 'early_data', data: {} }));
    const server = world.server({ cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] });
    expect(clientMeets(world.client({ session, earlyData: true }), server, says)).toBe('client: illegal_parameter');
  });
});

describe('accepted', () => {
  it('R8446-4.5-1 R8446-4.2.10-7 EndOfEarlyData comes after the server’s Finished, under the early key', () => {
    const session = world.session();
    const logs: string[] = [];
    const client = world.client({ session, earlyData: true, keyLog: (line) => logs.push(line) });
    const said: string[] = [];
    const pair = serverPair(client, world.server(), (message) => (said.push(message.type), [message]));
    pair.client.connection.writeEarlyData(earlyText);
    const first = drain(pair.client);
    expect(recordsOf(first).map(({ contentType }) => contentType)).toEqual([22, 20, 23]);
    const flight = feed(pair.server, first);
    expect(said).toEqual(['client_hello']);
    pair.client.connection.receive(flight);
    const second = recordsOf(drain(pair.client));
    expect(said).toEqual(['client_hello', 'end_of_early_data', 'finished']);
    const secretHex = logs[0]!.split(' ')[2]!;
    const secret = Uint8Array.from(secretHex.match(/../g)!, (byte) => parseInt(byte, 16));
    const keys = new TrafficSecret(client.crypto, 'sha256', secret).keys('aes-128-gcm');
    const reader = tls13Protection(client.crypto, 'aes-128-gcm', keys);
    reader.open(23, recordsOf(first)[2]!.fragment);
    expect(toHex(reader.open(23, second[0]!.fragment).payload)).toBe('05000000');
  });

  it('R8446-4.2.11.3-1 the server answers at once with its whole flight, and may go on with data', () => {
    const pair = sent();
    const answered = feed(pair.server, drain(pair.client));
    expect(recordsOf(answered).map(({ contentType }) => contentType)).toEqual([22, 20, 23]);
    pair.server.connection.writeHalfRtt(ascii('half'));
    pair.client.connection.receive(answered);
    pump(pair);
    expect(dataOf(pair.server)).toEqual([['early data', true]]);
    expect(dataOf(pair.client).map(([text]) => text)).toEqual(['half']);
  });

  it('R8446-E.5-3 P-early-4 both sides can tell what was early, and when the handshake was complete', () => {
    const pair = sent();
    pump(pair);
    pair.client.connection.write(ascii('late'));
    pump(pair);
    expect(dataOf(pair.server)).toEqual([
      ['early data', true],
      ['late', false],
    ]);
    expect(pair.server.events.map(({ type }) => type)).toEqual(['early_data', 'data', 'handshake', 'data']);
    expect(pair.client.events.map(({ type }) => type).slice(0, 2)).toEqual(['early_data', 'handshake']);
    for (const end of [pair.client, pair.server])
      expect(theEvent(end, 'handshake')).toMatchObject({ earlyData: 'accepted', earlyDataBytes: earlyText.length });
  });

  it('R8446-4.2.10-12 R8446-4.2.10-13 a record that does not open ends the connection: bad_record_mac', () => {
    const pair = sent();
    const bytes = drain(pair.client);
    bytes[bytes.length - 1]! ^= 1;
    pair.server.connection.receive(bytes);
    drain(pair.server);
    expect(outcome(pair)).toBe('server: bad_record_mac');
    expect(dataOf(pair.server)).toEqual([]);
  });

  it('R8446-4.6.1-14 application bytes alone are counted: one more than allowed is unexpected_message', () => {
    const overrun = (allowance: number) => {
      const session = { ...world.session(), maxEarlyDataSize: allowance };
      const pair = makePair(world.client({ session, earlyData: true, recordPaddingBlock: 512 }), world.server());
      for (let i = 0; i < allowance; i += 100)
        pair.client.connection.writeEarlyData(new Uint8Array(Math.min(100, allowance - i)));
      return outcome(pump(pair), 'server');
    };
    expect(overrun(maxEarlyData)).toBe('psk_dhe_ke');
    expect(overrun(maxEarlyData + 1)).toBe('server: unexpected_message');
  });

  it('R8446-4.5-1 Finished without EndOfEarlyData is refused', () => {
    const session = world.session();
    const says = saying('end_of_early_data', () => []);
    const pair = serverPair(world.client({ session, earlyData: true }), world.server(), says);
    pump(pair);
    // It comes under the next keys.
    expect(outcome(pair, 'server')).toBe('server: bad_record_mac');
  });

  it('R8446-4.5-3 EndOfEarlyData has no content, and servers send none', () => {
    const full = saying('end_of_early_data', () => [Uint8Array.of(5, 0, 0, 1, 0)]);
    const session = world.session();
    const pair = pump(serverPair(world.client({ session, earlyData: true }), world.server(), full));
    expect(outcome(pair, 'server')).toBe('server: decode_error');
    const says = saying('encrypted_extensions', (body) => [
      { type: 'encrypted_extensions', body },
      { type: 'end_of_early_data', body: {} },
    ]);
    expect(clientMeets(world.client({ session: world.session(), earlyData: true }), world.server(), says)).toBe(
      'client: unexpected_message',
    );
  });

  it('under a key that changes in the middle of a message: unexpected_message', () => {
    const session = world.session();
    const says = saying('end_of_early_data', (body) => [
      { type: 'end_of_early_data', body },
      { type: 'finished', body: { verifyData: new Uint8Array(32) } },
    ]);
    const pair = pump(serverPair(world.client({ session, earlyData: true }), world.server(), says));
    expect(outcome(pair, 'server')).toBe('server: unexpected_message');
  });

  it('R8446-7.5-1 has an exporter of its own, the same on both sides', () => {
    const pair = sent();
    const flight = feed(pair.server, drain(pair.client));
    const exported = (end: End) => toHex(end.connection.exportEarlyKeyingMaterial('EXPERIMENTAL', 20, ascii('c')));
    expect(exported(pair.client)).toBe(exported(pair.server));
    expect(exported(pair.client)).toHaveLength(40);
    const beforeFinished = exported(pair.client);
    pair.client.connection.receive(flight);
    pump(pair);
    expect(exported(pair.client)).toBe(beforeFinished);
    expect(toHex(pair.client.connection.exportKeyingMaterial('EXPERIMENTAL', 20, ascii('c')))).not.toBe(beforeFinished);
    expect(misuse(() => world.connect().client.connection.exportEarlyKeyingMaterial('EXPERIMENTAL', 20))).toEqual(
      refused,
    );
  });
});
