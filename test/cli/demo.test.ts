/** The demonstration that the README promises: every line as it should be, and an exit status that tells. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram, type BundledProgram } from '../support/bundle.js';
import { requirePeer } from '../support/peers.js';

const ourselves = [
  ['full', 'full', false, 2, 'not_offered'],
  ['session ID', 'session_id', true, 1, null],
  ['full, with ticket', 'full', false, 2, 'not_offered'],
  ['ticket', 'ticket', true, 1, null],
  ['ticket under a rotated key', 'ticket', true, 1, null],
  ['renewed ticket', 'ticket', true, 1, null],
  ['broken ticket', 'full', false, 2, 'bad_mac'],
] as const;
const withPeer = ourselves.slice(0, 4);

const tls13 = [
  ['full', 'full', false, 1, 'not_offered', 'none'],
  ['PSK', 'psk_dhe_ke', true, 1, null, 'none'],
  ['0-RTT', 'psk_dhe_ke', true, 0, null, 'accepted'],
] as const;

const replayed = {
  step: 'replayed 0-RTT',
  peer: 'tls-resume',
  version: 'TLSv1.3',
  mode: null,
  earlyData: 'rejected',
  earlyDataReason: 'replayed',
};

/** One way is 20 ms. */
const roundTrips = [
  { roundTripsOf: 'TLS 1.2 full', milliseconds: 160, tcp: 1, tls: 2, http: 1, total: 4 },
  { roundTripsOf: 'TLS 1.2 resumed', milliseconds: 120, tcp: 1, tls: 1, http: 1, total: 3 },
  { roundTripsOf: 'TLS 1.3 full', milliseconds: 120, tcp: 1, tls: 1, http: 1, total: 3 },
  { roundTripsOf: 'TLS 1.3 resumed', milliseconds: 120, tcp: 1, tls: 1, http: 1, total: 3 },
  { roundTripsOf: 'TLS 1.3 0-RTT', milliseconds: 80, tcp: 1, tls: 0, http: 1, total: 2 },
];

let program: BundledProgram;
beforeAll(async () => {
  program = await bundleProgram('src/cli/demo/main.ts');
});
afterAll(() => program.remove());

function demo(environment: NodeJS.ProcessEnv, ...parameters: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program.path, ...parameters], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  return { status, stdout, stderr };
}

function lines(peer: string, rows: readonly (typeof ourselves)[number][]) {
  return rows.map(([step, mode, resumed, trips, reason]) => line('TLSv1.2', peer, step, mode, resumed, trips, reason));
}

function tls13Lines(peer: string) {
  return tls13.map(([step, mode, resumed, trips, reason, earlyData]) =>
    line('TLSv1.3', peer, step, mode, resumed, trips, reason, earlyData),
  );
}

function line(
  version: string,
  peer: string,
  step: string,
  mode: string,
  resumed: boolean,
  trips: number,
  reason: string | null,
  earlyData = 'none',
) {
  const earlyDataReason = earlyData === 'none' ? 'not_offered' : null;
  return { step, peer, version, mode, resumed, roundTrips: trips, reason, earlyData, earlyDataReason };
}

describe('npm run demo', { timeout: 60_000 }, () => {
  it('resumes in every way on a machine without openssl, and draws it', () => {
    const { status, stdout, stderr } = demo({ PATH: '' });
    expect(stderr).toBe('');
    expect(stdout).toContain('No `openssl` program here');
    expect(stdout).toContain('All 16 connections were what they should be.');
    expect(stdout).toMatch(/^ +ClientHello\n +ChangeCipherSpec\n +\(Application Data\) +-------->/m);
    expect(stdout).toMatch(/<-------- .*\n\n +\(EndOfEarlyData\)\n +\{Finished\} +-------->/);
    expect(stdout).toContain('early data rejected (replayed)');
    expect(stdout).toMatch(/^ +TLS 1\.3 0-RTT +1 +0 +1 +2 +80 ms$/m);
    expect(status).toBe(0);
  });

  it('says each connection in a line of JSON, openssl on either side included', ({ skip }) => {
    requirePeer('openssl', skip);
    const { status, stdout, stderr } = demo({}, '--json');
    expect(stderr).toBe('');
    const seen = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(seen).toEqual([
      ...lines('tls-resume', ourselves),
      ...tls13Lines('tls-resume'),
      replayed,
      ...roundTrips,
      ...lines('openssl s_server', withPeer),
      ...lines('openssl s_client', withPeer),
      ...tls13Lines('openssl s_server'),
      ...tls13Lines('openssl s_client'),
    ]);
    expect(status).toBe(0);
  });

  it('fails on options that it does not know', () => {
    const { status, stderr } = demo({}, '--jason');
    expect(stderr).toContain("Unknown option '--jason'");
    expect(status).toBe(1);
  });
});
