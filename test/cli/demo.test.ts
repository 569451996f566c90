/** The demonstration that the README promises: every line as it should be, and an exit status that tells. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryFolder } from '../support/package.js';
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

function demo(environment: NodeJS.ProcessEnv, ...parameters: string[]) {
  const tsx = join(repositoryFolder, 'node_modules/tsx/dist/cli.mjs');
  const script = join(repositoryFolder, 'src/cli/demo/main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsx, script, ...parameters], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  return { status, stdout, stderr };
}

function lines(peer: string, rows: readonly (typeof ourselves)[number][]) {
  return rows.map(([step, mode, resumed, roundTrips, reason]) => ({
    step,
    peer,
    version: 'TLSv1.2',
    mode,
    resumed,
    roundTrips,
    reason,
  }));
}

describe('npm run demo', { timeout: 60_000 }, () => {
  it('resumes in every way on a machine without openssl, and draws it', () => {
    const { status, stdout, stderr } = demo({ PATH: '' });
    expect(stderr).toBe('');
    expect(stdout).toContain('No `openssl` program here');
    expect(stdout).toContain('All 7 connections were what they should be.');
    expect(stdout).toContain('NewSessionTicket');
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
      ...lines('openssl s_server', withPeer),
      ...lines('openssl s_client', withPeer),
    ]);
    expect(status).toBe(0);
  });

  it('fails on options that it does not know', () => {
    const { status, stderr } = demo({}, '--jason');
    expect(stderr).toContain("Unknown option '--jason'");
    expect(status).toBe(1);
  });
});
