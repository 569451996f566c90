/** How long our records are: what the caller wants, and what the peer takes (RFC 5246 6.2.1, RFC 8446 5.1, RFC 8449 4). */
import { describe, expect, it } from 'vitest';
import { Deframer } from '../../src/record/deframer.js';
import { eventsOf, makePair, pump, testClient, testServer, theEvent, type Pair } from '../support/connections.js';
import { misuse } from '../support/decoding.js';
import type { Side } from '../support/traffic.js';

const versions = [
  ['TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 16, 0],
  ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256', 17, 1],
] as const;

/** The lengths of what stood in the records of one side, of one content type or of all. */
function fragments({ segments }: Pair, side: Side, type?: number): number[] {
  const deframer = new Deframer();
  const lengths: number[] = [];
  for (const { from, bytes } of segments) {
    if (from !== side) continue;
    deframer.push(bytes.slice());
    for (let record = deframer.next(); record !== undefined; record = deframer.next())
      if (type === undefined || record.contentType === type) lengths.push(record.fragment.length);
  }
  return lengths;
}

describe.each(versions)('maximumFragmentLength in %s', (version, cipherSuite, overhead, typeLength) => {
  const only = { minVersion: version, maxVersion: version, cipherSuites: [cipherSuite] } as const;

  it('counts from the first record on, and can be changed', () => {
    const pair = makePair(testClient('node', 'c', only), testServer('node', 's', { ...only, ticketCount: 0 }), {
      server: { maximumFragmentLength: 512 },
    });
    pump(pair);
    const handshake = fragments(pair, 'server').length;
    expect(theEvent(pair.client, 'handshake').version).toBe(version);
    pair.server.connection.write(new Uint8Array(1300));
    pump(pair);
    expect(fragments(pair, 'server').slice(handshake)).toEqual([512, 512, 276].map((length) => length + overhead));
    pair.server.connection.limitFragments(1024);
    pair.server.connection.write(new Uint8Array(1300));
    pump(pair);
    expect(fragments(pair, 'server').slice(handshake + 3)).toEqual([1024, 276].map((length) => length + overhead));
    expect(eventsOf(pair.client, 'data').reduce((sum, { data }) => sum + data.length, 0)).toBe(2600);
  });

  it('the shorter one of it and the record_size_limit of the peer counts', () => {
    const written = (recordSizeLimit: number) => {
      const pair = makePair(
        testClient('node', 'c', { ...only, recordSizeLimit }),
        testServer('node', 's', { ...only, recordSizeLimit: 16_384, ticketCount: 0 }),
        { server: { maximumFragmentLength: 600 } },
      );
      pump(pair);
      const handshake = fragments(pair, 'server').length;
      pair.server.connection.write(new Uint8Array(700));
      pump(pair);
      return fragments(pair, 'server').slice(handshake)[0]! - overhead;
    };
    expect([written(2000), written(400)]).toEqual([600, 400 - typeLength]);
  });

  it.each([511, 16_385, 600.5, Number.NaN, -1])('not %d bytes', (length) => {
    const settings = testClient('node', 'c', only);
    expect(
      misuse(() => makePair(settings, testServer('node', 's', only), { client: { maximumFragmentLength: length } })),
    ).toBe('invalid_option');
  });
});

it('a Certificate in the clear is cut as well', () => {
  const long = testServer('node', 's');
  const certificates = [...long.credentials[0]!.certificates, new Uint8Array(2000)];
  const pair = makePair(
    testClient('node', 'c'),
    { ...long, credentials: [{ ...long.credentials[0]!, certificates }] },
    {
      server: { maximumFragmentLength: 512 },
    },
  );
  pump(pair);
  expect(theEvent(pair.client, 'handshake').peerCertificates).toEqual(certificates);
  const handshake = fragments(pair, 'server', 22);
  expect(handshake.slice(0, 4)).toEqual([512, 512, 512, 512]);
  expect(Math.max(...handshake)).toBe(512);
});
