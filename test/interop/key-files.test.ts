/** What servers themselves say of key files, beside what the lint says of them: they have to agree on which ones are files at all. */
import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintTicketKeys, type KeyFileFindingCode, type KeyFileLayoutName } from '../../src/tickets/index.js';
import { identities } from '../support/identities.js';
import { describeWithPeer } from '../support/peers.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-files-'));
  writeFileSync(join(folder, 'cert.pem'), identities.ecdsa.cert);
  writeFileSync(join(folder, 'cert.key'), identities.ecdsa.key);
  writeFileSync(join(folder, 'both.pem'), `${identities.ecdsa.cert}${identities.ecdsa.key}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Findings of files that are not of their layout, and of no others: keys are random in all of these. */
function errorsOf(layout: KeyFileLayoutName, file: Uint8Array): KeyFileFindingCode[] {
  return lintTicketKeys(layout, file).flatMap(({ code, severity }) => (severity === 'error' ? [code] : []));
}

const sizes = [0, 16, 32, 47, 48, 49, 64, 79, 80, 81, 96];

describeWithPeer('nginx', 'nginx', ({ path }) => {
  it.each(sizes)('takes a file of %i bytes if one of its two layouts does', (size) => {
    const file = randomBytes(size);
    writeFileSync(join(folder, 'ticket.key'), file);
    writeFileSync(
      join(folder, 'nginx.conf'),
      `pid nginx.pid; events {} http { access_log off; server { listen 127.0.0.1:1 ssl;
       ssl_certificate cert.pem; ssl_certificate_key cert.key; ssl_session_ticket_key ticket.key; } }`,
    );
    const { status, stderr } = spawnSync(path, ['-t', '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
      encoding: 'utf8',
    });
    const ours = (['nginx48', 'nginx80'] as const).filter((layout) => errorsOf(layout, file).length === 0);
    expect(stderr.includes('must be 48 or 80 bytes')).toBe(ours.length === 0);
    expect(status === 0).toBe(ours.length === 1);
  });
});

describeWithPeer('haproxy', 'HAProxy', ({ path }) => {
  const line = (size: number) => randomBytes(size).toString('base64');
  const lines = (...ofSizes: number[]) => ofSizes.map((size) => `${line(size)}\n`).join('');

  it.each<[string, string]>([
    ['three lines of 48 bytes', lines(48, 48, 48)],
    ['three lines of 80 bytes', lines(80, 80, 80)],
    ['six lines', lines(48, 48, 48, 48, 48, 48)],
    ['no file worth the name', ''],
    ['two lines', lines(48, 48)],
    ['lines of 47 bytes', lines(47, 47, 47)],
    ['lines of two sizes', lines(80, 80, 80, 48)],
    ['an empty line first', `\n${lines(48, 48, 48)}`],
    ['an empty line last', `${lines(48, 48, 48)}\n`],
    ['no end of the last line', lines(48, 48, 48).trimEnd()],
    ['the lines of Windows', lines(48, 48, 48).replaceAll('\n', '\r\n')],
    ['a space at the end', lines(48, 48, 48).replaceAll('\n', ' \n')],
    ['a comment', `# keys\n${lines(48, 48, 48)}`],
    ['no padding', lines(80, 80, 80).replaceAll('=', '')],
    ['base64 in lines of 64, as openssl rand -base64 writes it', lines(80, 80, 80).replace(/^.{64}/gm, '$&\n')],
  ])('%s', (_, text) => {
    writeFileSync(join(folder, 'tickets'), text);
    writeFileSync(
      join(folder, 'haproxy.cfg'),
      `defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nfrontend f\n bind 127.0.0.1:1 ssl crt ${folder}/both.pem tls-ticket-keys ${folder}/tickets\n`,
    );
    const { status } = spawnSync(path, ['-c', '-f', join(folder, 'haproxy.cfg')], { encoding: 'utf8' });
    const ours = (['haproxy48', 'haproxy80'] as const).filter(
      (layout) => errorsOf(layout, Buffer.from(text)).length === 0,
    );
    expect(status === 0).toBe(ours.length === 1);
  });
});

describe('Node.js', () => {
  it.each(sizes)('takes %i bytes if its layout does', (size) => {
    const ticketKeys = randomBytes(size);
    const theirs = () => createServer({ ticketKeys });
    if (errorsOf('node48', ticketKeys).length === 0) expect(theirs().getTicketKeys()).toEqual(ticketKeys);
    else expect(theirs).toThrow('must be exactly 48 bytes');
  });
});
