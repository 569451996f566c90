import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ascii, fromHex, toHex } from '../../src/bytes.js';
import { apacheTarget, haproxyTarget, nginxTarget, nodeTarget, opensslTarget } from '../../src/targets/index.js';

const sha1 = (...parts: readonly (string | Uint8Array)[]) => {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const hex = ({ sessionIdContext }: { readonly sessionIdContext: Uint8Array | undefined }) =>
  toHex(sessionIdContext ?? new Uint8Array(0));

const folder = new URL('../../vectors/tickets/', import.meta.url);
function sampleContexts(server: string): Set<string> {
  const files = readdirSync(folder).filter((file) => file.startsWith(server));
  const samples = files.map(
    (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { decodedFields: { sid_ctx: string } },
  );
  return new Set(samples.map(({ decodedFields }) => decodedFields.sid_ctx));
}

describe('session id contexts', () => {
  const [certificate, second, authority] = [fromHex('3003020101'), fromHex('3003020102'), fromHex('3000')];

  it('of nginx digests the module, each certificate and each name of a client authority, in order', () => {
    expect(hex(nginxTarget({ serverCertificates: [certificate] }))).toBe(toHex(sha1('HTTP', sha1(certificate))));
    expect(
      hex(nginxTarget({ serverCertificates: [certificate, second], clientCaNames: [authority], module: 'STREAM' })),
    ).toBe(toHex(sha1('STREAM', sha1(certificate), sha1(second), sha1(authority))));
    expect(() => nginxTarget({ serverCertificates: [] })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }) as Error,
    );
  });

  it('of Apache is the one that stands in its tickets', () => {
    expect(sampleContexts('apache')).toEqual(new Set([hex(apacheTarget({ serverName: 'a.test' }))]));
    expect(hex(apacheTarget({ serverName: 'a.test', port: 8443 }))).not.toBe(
      hex(apacheTarget({ serverName: 'a.test' })),
    );
  });

  it('of HAProxy is the one that stands in its tickets', () => {
    expect(sampleContexts('haproxy')).toEqual(new Set([hex(haproxyTarget())]));
  });

  it('of Node is the text of its option', () => {
    expect(hex(nodeTarget({ sessionIdContext: 'hé' }))).toBe(toHex(new TextEncoder().encode('hé')));
  });

  it('has 32 bytes at the most', () => {
    for (const refused of [
      () => nodeTarget({ sessionIdContext: 'x'.repeat(33) }),
      () => opensslTarget({ sessionIdContext: ascii('x'.repeat(33)) }),
      () => haproxyTarget({ lifetime: 0 }),
      () => haproxyTarget({ lifetime: 604_801 }),
    ])
      expect(refused).toThrow(expect.objectContaining({ code: 'invalid_option' }) as Error);
  });
});
