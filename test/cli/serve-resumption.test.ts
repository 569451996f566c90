/** `tls-resume serve`: sessions, tickets, their keys and their lifetime, early data, and the options of a handshake. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { Connection } from '../../src/connection/connection.js';
import type { ClientOptions } from '../../src/connection/options.js';
import { describeWithPeer, runProgram } from '../support/peers.js';
import { seededCrypto } from '../support/seeded.js';
import type { ServeProcess } from './command.js';
import { request, useCommand, useVisitors } from './visitors.js';

let early: ServeProcess;
/** With ticket keys of its own. */
let alone: ServeProcess;
const command = useCommand(async (built) => {
  for (const [name, seed] of Object.entries({ 'one.key': 7, 'two.key': 11 }))
    writeFileSync(
      built.file(name),
      Uint8Array.from({ length: 80 }, (_, i) => (i * i * seed + seed) % 251),
    );
  early = await built.serve(['--early-data', '16384', '--ticket-keys', 'one.key']);
  alone = await built.serve(['--early-data', '16384']);
});
const visitors = useVisitors();

const tls12 = { maxVersion: 'TLSv1.2' } as const;
const requestEarly = (connection: Connection) => connection.writeEarlyData(ascii(request));

describe('resumption', () => {
  it.each([
    ['session IDs in TLS 1.2', tls12, 'session_id', 1],
    ['tickets that lead to the store in TLS 1.3', {}, 'psk_dhe_ke', 2],
  ] as const)('--tickets off: %s', async (_, options, mode, count) => {
    const server = await command().serve(['--tickets', 'off']);
    const first = await visitors.visit(server, options);
    expect(first.line).toMatchObject({ mode: 'full', reason: 'not_offered' });
    expect(first.sessions).toHaveLength(count);
    const second = await visitors.visit(server, { ...options, session: first.sessions });
    expect(second.line).toMatchObject({ mode, resumed: true, reason: null });
    expect(second.visitor.handshake?.mode).toBe(mode);
  });

  it.each([tls12, {}])('nothing where both are off: %j', async (options) => {
    const server = await command().serve(['--tickets', 'off', '--session-cache', 'off']);
    expect((await visitors.visit(server, options)).sessions).toEqual([]);
  });

  it('the cache holds as many sessions as it is told', async () => {
    const server = await command().serve(['--tickets', 'off', '--session-cache', '1']);
    const [first] = (await visitors.visit(server, tls12)).sessions;
    const [second] = (await visitors.visit(server, tls12)).sessions;
    const again = await visitors.visit(server, { ...tls12, session: second! });
    expect(again.line).toMatchObject({ mode: 'session_id' });
    const forgotten = await visitors.visit(server, { ...tls12, session: first! });
    expect(forgotten.line).toMatchObject({ mode: 'full', reason: 'unknown_session_id' });
  });

  it('R8446-4.6.1 --tickets of them after a full handshake, and at least one after each resumption', async () => {
    const server = await command().serve(['--tickets', '5']);
    let { sessions } = await visitors.visit(server);
    expect(sessions).toHaveLength(5);
    for (let i = 0; i < 3; i++) {
      const visit = await visitors.visit(server, { session: sessions[0]! });
      expect(visit.line).toMatchObject({ mode: 'psk_dhe_ke' });
      expect(visit.sessions.length).toBeGreaterThan(0);
      ({ sessions } = visit);
    }
  });

  it('tickets cross between servers with one key file, and no others', async () => {
    const keys = [['one.key'], ['two.key'], ['two.key', '--ticket-keys', 'one.key']];
    const others = await Promise.all(keys.map((names) => command().serve(['--ticket-keys', ...names])));
    const ways: readonly Partial<ClientOptions>[] = [tls12, {}, { pskKeyExchangeModes: ['psk_ke'] }];
    for (const [i, mode] of ['ticket', 'psk_dhe_ke', 'psk_ke'].entries()) {
      const [session] = (await visitors.visit(early, ways[i])).sessions;
      const lines: unknown[] = [];
      for (const server of others) {
        const { line } = await visitors.visit(server, { ...ways[i], session: session! });
        lines.push([line?.['mode'], line?.['reason']]);
      }
      expect(lines).toEqual([
        [mode, null],
        ['full', 'unknown_key_name'],
        [mode, null],
      ]);
    }
  });

  it('not longer than --lifetime', async () => {
    const server = await command().serve(['--lifetime', '1']);
    const [old] = (await visitors.visit(server, tls12)).sessions;
    const [ticket] = (await visitors.visit(server)).sessions;
    expect([old, ticket]).toMatchObject([{ ticketLifetimeHint: 1 }, { ticketLifetime: 1 }]);
    await delay(1_100);
    // The client's clock stands still, so it offers them.
    const late = async (session: typeof ticket, options: Partial<ClientOptions>) =>
      (await visitors.visit(server, { ...options, session: session!, now: () => session!.issuedAt })).line;
    expect(await late(old, tls12)).toMatchObject({ mode: 'full', reason: 'too_old' });
    expect(await late(ticket, {})).toMatchObject({
      mode: 'full',
      reason: 'too_old',
    });
  });
});

describe('early data', () => {
  it('is answered as soon as the handshake is complete, in one record', async () => {
    const [session] = (await visitors.visit(alone)).sessions;
    const { visitor, line } = await visitors.visit(alone, { session: session!, earlyData: true }, requestEarly);
    expect(line).toMatchObject({
      mode: 'psk_dhe_ke',
      earlyData: 'accepted',
      earlyDataReason: null,
      earlyDataBytes: request.length,
    });
    expect(visitor.records).toHaveLength(1);
    expect(visitor.records[0]).toContain('earlyData: accepted\n');
  });

  it('may hold the first half of a request', async () => {
    const [session] = (await visitors.visit(alone)).sessions;
    const half = (connection: Connection) => connection.writeEarlyData(ascii('GET / HTTP/1.0\r\n'));
    const visitor = await visitors.client(alone, { session: session!, earlyData: true }, half).opened();
    expect(await alone.take(1)).toMatchObject([{ earlyData: 'accepted', earlyDataBytes: 16 }]);
    expect(visitor.records).toEqual([]);
    visitor.write('\r\n');
    await visitor.until(({ records }) => records.length === 1);
  });

  it('P-early-2 is rejected at first where others may have the ticket keys', async () => {
    const server = await command().serve(['--early-data', '16384', '--ticket-keys', 'one.key']);
    const [session] = (await visitors.visit(server)).sessions;
    const { line } = await visitors.visit(server, { session: session!, earlyData: true }, requestEarly);
    expect(line).toMatchObject({ mode: 'psk_dhe_ke', earlyData: 'rejected', earlyDataReason: 'startup_quarantine' });
  });

  it('is echoed record by record', async () => {
    const server = await command().serve(['--echo', '--early-data', '1000']);
    const first = await visitors.client(server).opened();
    await first.until(({ sessions }) => sessions.length > 0);
    const words = (connection: Connection) => {
      for (const word of ['one', 'two']) connection.writeEarlyData(ascii(word));
    };
    const talker = await visitors.client(server, { session: first.sessions[0]!, earlyData: true }, words).opened();
    talker.write('three');
    await talker.until(({ records }) => records.length === 3);
    expect(talker.records).toEqual(['one', 'two', 'three']);
  });

  it('is rejected without --early-data, and the request is answered all the same', async () => {
    const server = await command().serve(['--ticket-keys', 'one.key']);
    const [session] = (await visitors.visit(early)).sessions;
    const { line } = await visitors.visit(server, { session: session!, earlyData: true }, requestEarly);
    expect(line).toMatchObject({
      mode: 'psk_dhe_ke',
      earlyData: 'rejected',
      earlyDataReason: 'disabled',
      earlyDataBytes: 0,
    });
  });

  it('is rejected by a HelloRetryRequest', async () => {
    const server = await command().serve(['--ticket-keys', 'one.key', '--early-data', '1000', '--groups', 'P-384']);
    const [session] = (await visitors.visit(server)).sessions;
    const options = { session: session!, earlyData: true, groups: ['x25519', 'secp384r1'] } as const;
    const { line } = await visitors.visit(server, options, requestEarly);
    expect(line).toMatchObject({
      group: 'secp384r1',
      helloRetryRequest: true,
      earlyData: 'rejected',
      earlyDataReason: 'hello_retry_request',
    });
  });

  it.each([
    ['memory', 'rejected', 'replayed'],
    ['off', 'accepted', null],
  ])('--replay-guard %s: the same flight again is %s', async (guard, earlyData, earlyDataReason) => {
    const server = await command().serve(['--early-data', '1000', '--replay-guard', guard]);
    const [session] = (await visitors.visit(server)).sessions;
    const now = Date.now();
    const lines: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const crypto = seededCrypto('node', 'the same ClientHello');
      const options = { session: session!, earlyData: true, crypto, now: () => now };
      const { line } = await visitors.visit(server, options, requestEarly);
      lines.push([line?.['earlyData'], line?.['earlyDataReason']]);
    }
    expect(lines).toEqual([
      ['accepted', null],
      [earlyData, earlyDataReason],
    ]);
  });
});

describe('options of the handshake', () => {
  it.each([
    ['ECDHE-ECDSA-CHACHA20-POLY1305', 'TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
    ['TLS_AES_256_GCM_SHA384', 'TLSv1.3', 'TLS_AES_256_GCM_SHA384'],
  ] as const)('--ciphers %s alone leaves %s', async (ciphers, protocol, cipherSuite) => {
    const server = await command().serve(['--ciphers', ciphers, '--groups', 'P-384', '--alpn', 'h2']);
    const { line } = await visitors.visit(server, { alpnProtocols: ['http/1.1', 'h2'] });
    expect(line).toMatchObject({ protocol, cipherSuite, group: 'secp384r1', alpn: 'h2' });
  });

  it.each([
    ['--min-version', 'TLSv1.3', tls12],
    ['--max-version', 'TLSv1.2', { minVersion: 'TLSv1.3' }],
  ] as const)('%s %s', async (option, version, options) => {
    const server = await command().serve([option, version]);
    expect((await visitors.visit(server)).line).toMatchObject({ protocol: version });
    await visitors.client(server, options).until(({ closed }) => closed !== undefined);
    expect(await server.take(1)).toMatchObject([{ event: 'error', alert: 'protocol_version' }]);
  });

  it('--psk', async () => {
    const server = await command().serve(['--psk', 'us two:000102030405060708090a0b0c0d0e0f']);
    const key = Uint8Array.from({ length: 16 }, (_, i) => i);
    const psk = { identity: ascii('us two'), key, role: 'client', withoutImporter: true } as const;
    expect((await visitors.visit(server, { externalPsks: [psk] })).line).toMatchObject({ mode: 'psk_dhe_ke' });
    expect((await visitors.visit(server)).line).toMatchObject({ mode: 'full' });
    const wrong = { ...psk, key: key.map((byte) => byte ^ 1) };
    await visitors.client(server, { externalPsks: [wrong] }).until(({ closed }) => closed !== undefined);
    expect(await server.take(1)).toMatchObject([{ event: 'error', alert: 'decrypt_error' }]);
  });

  it('--crypto noble with keys of all kinds, and --keylog', async () => {
    const identities = ['ecdsa', 'ed25519', 'rsa'].flatMap((kind) => ['--cert', `${kind}.pem`, '--key', `${kind}.key`]);
    const server = await command().serve(['--crypto', 'noble', '--keylog', 'keys.txt', ...identities]);
    for (const scheme of ['ecdsa_secp256r1_sha256', 'ed25519', 'rsa_pss_rsae_sha256'] as const)
      for (const options of [tls12, {}]) {
        const { line } = await visitors.visit(server, { ...options, signatureSchemes: [scheme] });
        expect(line).toMatchObject({ mode: 'full' });
      }
    const lines = readFileSync(command().file('keys.txt'), 'utf8').trimEnd().split('\n');
    const labels = lines.map((line) => /^([A-Z_0-9]+) [0-9a-f]{64} (?:[0-9a-f]{64}|[0-9a-f]{96})$/.exec(line)?.[1]);
    expect(new Set(labels)).toEqual(
      new Set([
        'CLIENT_RANDOM',
        'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
        'SERVER_HANDSHAKE_TRAFFIC_SECRET',
        'CLIENT_TRAFFIC_SECRET_0',
        'SERVER_TRAFFIC_SECRET_0',
        'EXPORTER_SECRET',
      ]),
    );
  });
});

describeWithPeer('openssl', 'openssl s_client', (peer) => {
  const client = (server: ServeProcess, input: string, ...parameters: string[]) =>
    runProgram(
      peer.path,
      ['s_client', '-connect', `127.0.0.1:${server.port}`, '-servername', 'example.test', ...parameters],
      { cwd: command().folder, input, holdInputMilliseconds: 1000 },
    );

  it.each([
    ['-tls1_2', 'ticket', 'alert handshake failure'],
    ['-tls1_3', 'psk_dhe_ke', 'alert certificate required'],
  ])('%s resumes, and shows the certificate that is asked for', async (version, mode, alert) => {
    const server = await command().serve(['--client-auth', 'require', '--client-ca', 'ca.pem']);
    const identity = ['-cert', 'client.pem', '-key', 'client.key'];
    const first = await client(server, request, version, ...identity, '-sess_out', `${mode}.session`);
    expect(first.stdout).toMatch(/^mode: full$/m);
    const second = await client(server, request, version, ...identity, '-sess_in', `${mode}.session`);
    expect(second.stdout).toContain(`mode: ${mode}\n`);
    const third = await client(server, request, version);
    expect(third.stderr).toContain(alert);
    expect(await server.take(3)).toMatchObject([{ mode: 'full' }, { mode }, { event: 'error' }]);
  });

  it('sends early data', async () => {
    writeFileSync(command().file('early.txt'), request);
    const first = await client(alone, request, '-sess_out', 'early.session');
    expect(first.stdout).toContain('Max Early Data: 16384');
    const second = await client(alone, '', '-sess_in', 'early.session', '-early_data', 'early.txt');
    expect(second.stdout).toContain('Early data was accepted');
    expect(second.stdout).toMatch(/^earlyData: accepted$/m);
    expect(await alone.take(2)).toMatchObject([{ mode: 'full' }, { earlyDataBytes: request.length }]);
  });
});
