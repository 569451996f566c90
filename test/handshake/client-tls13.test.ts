/** What a client of TLS 1.3 takes from a server once ServerHello is through (RFC 8446 4.3.1, 4.4.4; RFC 7301, 8449, 8701). */
import { describe, expect, it } from 'vitest';
import { ascii, empty } from '../../src/bytes.js';
import type { EncryptedExtensions, ServerHello } from '../../src/messages/index.js';
import { makePair, pump, theEvent } from '../support/connections.js';
import { clientMeets, outcome, saying, withExtensions, withoutExtensions } from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
const client = world.client({ alpnProtocols: ['h2', 'http/1.1'], recordSizeLimit: 1000 });
const server = world.server({ alpnProtocols: ['h2'], recordSizeLimit: 2000 });
const edited = (change: (body: EncryptedExtensions) => EncryptedExtensions, from = client) =>
  clientMeets(from, server, saying('encrypted_extensions', change));

describe('EncryptedExtensions', () => {
  it.each([
    ['key_share', Uint8Array.of(0, 29, 0, 0)],
    ['supported_versions', Uint8Array.of(3, 4)],
    ['psk_key_exchange_modes', Uint8Array.of(1, 1)],
    ['signature_algorithms', Uint8Array.of(0, 2, 4, 3)],
  ] as const)('R8446-4.3.1-1 RFC 8446 6.2: with %s, which has no place there: unsupported_extension', (type, data) => {
    expect(edited(withExtensions({ type, data }))).toBe('client: unsupported_extension');
  });

  it('R8446-4.2-1 R8701-3.1-1 with what was not asked for: unsupported_extension', () => {
    for (const type of ['pre_shared_key', 'max_fragment_length', 0x3a3a] as const) {
      const data = type === 'max_fragment_length' ? '2^9' : empty;
      expect(edited(withExtensions({ type, data }))).toBe('client: unsupported_extension');
    }
  });

  it('R8446-4.2-3 with one extension twice: decode_error', () => {
    const twice = Uint8Array.of(8, 0, 0, 10, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(
      clientMeets(
        client,
        server,
        saying('encrypted_extensions', () => [twice]),
      ),
    ).toBe('client: decode_error');
  });

  it('R7301-3.1-2 R9325-3.8-1 with a protocol that was not offered, or two: illegal_parameter', () => {
    for (const protocols of [['h3'], ['h2', 'http/1.1']]) {
      const data = protocols.map(ascii);
      const says = withExtensions<EncryptedExtensions>({ type: 'application_layer_protocol_negotiation', data });
      expect(edited(says)).toBe('client: illegal_parameter');
    }
  });

  it('that do not come at all: unexpected_message', () => {
    expect(
      clientMeets(
        client,
        server,
        saying('encrypted_extensions', () => []),
      ),
    ).toBe('client: unexpected_message');
  });
});

describe('ServerHello', () => {
  const hello = (change: (body: ServerHello) => ServerHello, from = client) =>
    clientMeets(from, server, saying('server_hello', change));

  it('R8446-4.1.3-2 R8701-3.1-1 with a suite that was not offered, of TLS 1.2, or GREASE: illegal_parameter', () => {
    for (const cipherSuite of ['TLS_AES_128_CCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 0x4a4a] as const)
      expect(hello((body) => ({ ...body, cipherSuite }))).toBe('client: illegal_parameter');
  });

  it('R8701-3.1-1 with a GREASE group: illegal_parameter', () => {
    const data = { group: 0x5a5a, keyExchange: new Uint8Array(32) };
    expect(hello(withExtensions({ type: 'key_share', data }))).toBe('client: illegal_parameter');
  });

  it('R8446-4.2.8.2-1 with a share that is no point, or makes an all-zero secret: illegal_parameter', () => {
    const share = (group: 'x25519' | 'secp256r1', keyExchange: Uint8Array) =>
      clientMeets(
        world.client({ groups: [group] }),
        world.server(),
        saying('server_hello', withExtensions({ type: 'key_share', data: { group, keyExchange } })),
      );
    expect(share('x25519', new Uint8Array(32))).toBe('client: illegal_parameter');
    expect(share('x25519', new Uint8Array(31).fill(9))).toBe('client: illegal_parameter');
    expect(share('secp256r1', new Uint8Array(65).fill(4))).toBe('client: illegal_parameter');
  });

  it('R8446-4.2.9-7 in psk_dhe_ke has a key_share: illegal_parameter without', () => {
    const from = world.client({ session: world.session() });
    expect(clientMeets(from, world.server(), saying('server_hello', withoutExtensions('key_share')))).toBe(
      'client: illegal_parameter',
    );
  });

  it('R8446-5.1-1 with something behind it under the same keys: unexpected_message', () => {
    const says = saying('server_hello', (body) => [
      { type: 'server_hello', body },
      { type: 'encrypted_extensions', body: { extensions: [] } },
    ]);
    expect(clientMeets(client, server, says)).toBe('client: unexpected_message');
  });
});

describe('Finished', () => {
  it('R8446-4.4.4-1 that is wrong: decrypt_error', () => {
    const says = saying('finished', ({ verifyData }) => ({
      verifyData: verifyData.map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
    }));
    expect(clientMeets(client, server, says)).toBe('client: decrypt_error');
  });

  it('R8446-5.1-1 with something behind it: unexpected_message', () => {
    const says = saying('finished', (body) => [
      { type: 'finished', body },
      { type: 'key_update', body: { requestUpdate: 'update_not_requested' } },
    ]);
    expect(clientMeets(client, server, says)).toBe('client: unexpected_message');
  });

  it('R8446-4.6.3-1 a KeyUpdate in its place: unexpected_message', () => {
    const says = saying('finished', () => [{ type: 'key_update', body: { requestUpdate: 'update_not_requested' } }]);
    expect(clientMeets(client, server, says)).toBe('client: unexpected_message');
  });
});

describe('record_size_limit', () => {
  /** Plaintext lengths of the protected records that one side sends, with type and padding. */
  function lengths(from: 'client' | 'server', pair: ReturnType<typeof makePair>): number[] {
    const found: number[] = [];
    for (const { from: sender, bytes } of pair.segments)
      for (let at = 0; sender === from && at < bytes.length;) {
        const length = bytes[at + 3]! * 256 + bytes[at + 4]!;
        if (bytes[at] === 23) found.push(length - 16);
        at += 5 + length;
      }
    return found;
  }

  it('R8449-4-1 R8449-4-3 each side keeps to what the other one takes, on resumptions by what is said anew', () => {
    const pair = makePair(client, server);
    pump(pair);
    pair.segments.length = 0;
    for (const side of ['client', 'server'] as const) pair[side].connection.write(new Uint8Array(2500));
    pump(pair);
    expect(lengths('client', pair)).toEqual([2000, 502]);
    expect(lengths('server', pair)).toEqual([1000, 1000, 503]);

    const session = world.session({ recordSizeLimit: 1000 }, { recordSizeLimit: 1000 });
    const resumed = makePair(world.client({ session }), world.server({ recordSizeLimit: 1000 }));
    pump(resumed);
    expect(outcome(resumed)).toBe('psk_dhe_ke');
    resumed.segments.length = 0;
    resumed.server.connection.write(new Uint8Array(2500));
    pump(resumed);
    expect(lengths('server', resumed)).toEqual([2501]);
  });

  it('R8449-4-1 holds for what follows EncryptedExtensions too: the next record is within it', () => {
    const pair = makePair(world.client({ recordSizeLimit: 64 }), world.server({ recordSizeLimit: 64 }));
    expect(outcome(pump(pair))).toBe('full: not_offered');
    expect(Math.max(...lengths('client', pair), ...lengths('server', pair).slice(1))).toBeLessThanOrEqual(64);
    for (const end of [pair.client, pair.server]) expect(theEvent(end, 'handshake').mode).toBe('full');
  });

  it('R8449-4-2 below 64 is refused by either side: illegal_parameter; above the maximum is taken', () => {
    expect(edited(withExtensions({ type: 'record_size_limit', data: 63 }))).toBe('client: illegal_parameter');
    expect(edited(withExtensions({ type: 'record_size_limit', data: 64 }))).toBe('full: not_offered');
    expect(edited(withExtensions({ type: 'record_size_limit', data: 0xffff }))).toBe('full: not_offered');
  });

  it('R8449-5-1 beside max_fragment_length, which was never asked for: unsupported_extension', () => {
    // A client that asked for both would say illegal_parameter; this one asks for record_size_limit alone.
    expect(edited(withExtensions({ type: 'max_fragment_length', data: '2^9' }))).toBe('client: unsupported_extension');
    const asking = world.client({
      recordSizeLimit: 1000,
      shapeClientHello: (extensions) => [...extensions, { type: 'max_fragment_length', data: '2^9' }],
    });
    expect(clientMeets(asking, server)).toBe('full: not_offered');
  });
});
