/** What a server of TLS 1.3 takes from a ClientHello and from the flight that ends the handshake (RFC 8446 4.1, 4.2, 4.4.4). */
import { describe, expect, it } from 'vitest';
import { ascii, empty, toHex } from '../../src/bytes.js';
import type { ServerSettings } from '../../src/handshake/settings.js';
import { findExtension, type ClientHello, type KeyShareEntry } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { TicketSealer } from '../../src/tickets/sealer.js';
import { boundHello } from '../support/attack-rig-tls13.js';
import { makePair, pump, theEvent } from '../support/connections.js';
import {
  binderKeyOf,
  clientMeets,
  listening,
  outcome,
  saying,
  secondClientHello,
  serverMeets,
  serverPair,
  typesOf,
  withExtensions,
  withoutExtensions,
} from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
const client = world.client();
const server = world.server();
const edited = (change: (body: ClientHello) => ClientHello, to: ServerSettings = server, from = client) =>
  serverMeets(from, to, saying('client_hello', change));

describe('a ClientHello', () => {
  it('R8701-3.2-1 R8446-4.1.2-8 may hold GREASE wherever there is a list: nothing of it is selected', () => {
    const { heard, says } = listening('server_hello');
    const grease = (body: ClientHello): ClientHello => {
      return {
        ...withExtensions<ClientHello>(
          { type: 0x0a0a, data: empty },
          { type: 'supported_groups', data: [0x1a1a, ...findExtension(body.extensions, 'supported_groups')!] },
          { type: 'supported_versions', data: [0x2a2a, 'TLSv1.3'] },
          { type: 'psk_key_exchange_modes', data: [0x0b, 'psk_dhe_ke'] },
          { type: 'signature_algorithms', data: [0x3a3a, 'ecdsa_secp256r1_sha256'] },
          { type: 'application_layer_protocol_negotiation', data: [Uint8Array.of(0x4a, 0x4a), ascii('h2')] },
          {
            type: 'key_share',
            data: [{ group: 0x1a1a, keyExchange: Uint8Array.of(0) }, ...findExtension(body.extensions, 'key_share')!],
          },
          { type: 0x5a5a, data: Uint8Array.of(0) },
        )(body),
        cipherSuites: [0x6a6a, ...body.cipherSuites],
      };
    };
    const alpn = world.server({ alpnProtocols: ['h2'] });
    expect(edited(grease, alpn, world.client({ alpnProtocols: ['h2'] }))).toBe('full: not_offered');
    const shaped = world.client({
      alpnProtocols: ['h2'],
      shapeClientHello: (extensions) => [{ type: 0x7a7a, data: empty }, ...extensions],
    });
    expect(clientMeets(shaped, alpn, says)).toBe('full: not_offered');
    expect(heard.map(({ cipherSuite }) => cipherSuite)).toEqual(['TLS_AES_128_GCM_SHA256']);
  });

  it('R8446-4.2.8.2-1 with a share that is no point, or makes an all-zero secret: illegal_parameter', () => {
    const share = (group: 'x25519' | 'secp256r1', keyExchange: Uint8Array) =>
      edited(withExtensions({ type: 'key_share', data: [{ group, keyExchange }] }));
    expect(share('x25519', new Uint8Array(32))).toBe('server: illegal_parameter');
    expect(share('x25519', new Uint8Array(33).fill(9))).toBe('server: illegal_parameter');
    expect(share('secp256r1', new Uint8Array(65).fill(4))).toBe('server: illegal_parameter');
  });

  it('RFC 8446 4.2.8: two shares of a group, or one of a group not on offer: illegal_parameter', () => {
    const keyExchange = new Uint8Array(32).fill(9);
    const twice = [0, 1].map(() => ({ group: 'x25519', keyExchange }));
    expect(edited(withExtensions({ type: 'key_share', data: twice }))).toBe('server: illegal_parameter');
    const other = [{ group: 'x448', keyExchange }];
    expect(edited(withExtensions({ type: 'key_share', data: other }))).toBe('server: illegal_parameter');
  });

  it('R8446-4.2.9-7 for psk_dhe_ke without groups and shares: missing_extension', () => {
    const session = world.session();
    const says = saying('client_hello', (body, hs) => [
      boundHello(hs, withoutExtensions<ClientHello>('supported_groups', 'key_share')(body), [binderKeyOf(session)]),
    ]);
    expect(serverMeets(world.client({ session }), server, says)).toBe('server: missing_extension');
  });

  it('whose PSK is refused, and that has no signature_algorithms: missing_extension', () => {
    const stranger = world.server({ tickets: undefined });
    const pair = pump(
      serverPair(
        world.client({ session: world.session() }),
        stranger,
        saying('client_hello', withoutExtensions('signature_algorithms')),
      ),
    );
    expect(theEvent(pair.server, 'close').error).toMatchObject({
      alert: 'missing_extension',
      message: 'got no signature_algorithms',
    });
  });

  it('P-state-3 for psk_ke, that drops its PSK after a cookie: missing_extension', () => {
    const modes = { pskKeyExchangeModes: ['psk_ke'] } as const;
    const pair = pump(
      serverPair(
        world.client({ session: world.session(), ...modes }),
        world.server({ ...modes, retryCookie: () => ascii('cookie') }),
        secondClientHello(withoutExtensions('pre_shared_key')),
      ),
    );
    expect(theEvent(pair.server, 'close').error).toMatchObject({
      alert: 'missing_extension',
      message: 'got no pre_shared_key any more',
    });
  });

  it.each<[string, KeyShareEntry[]]>([
    ['drops', []],
    ['changes', [{ group: 'secp256r1', keyExchange: new Uint8Array(65).fill(4) }]],
  ])('R8446-4.1.2-1 that %s its key share after a cookie: illegal_parameter', (_what, data) => {
    const says = secondClientHello(withExtensions({ type: 'key_share', data }));
    const pair = pump(serverPair(client, world.server({ retryCookie: () => ascii('cookie') }), says));
    expect(theEvent(pair.server, 'close').error).toMatchObject({
      alert: 'illegal_parameter',
      message: 'got a second ClientHello that differs from the first',
    });
  });

  it('P-state-3 for psk_ke, whose ticket is good for the first ClientHello and not for the second: handshake_failure', () => {
    const modes = { pskKeyExchangeModes: ['psk_ke'] } as const;
    const session = world.session();
    const { tickets } = world.server();
    let opened = 0;
    const once: TicketSealer = {
      seal: (state) => tickets!.seal(state),
      open: (ticket) => (opened++ === 0 ? tickets!.open(ticket) : { reason: 'expired' }),
    };
    const server = world.server({ ...modes, tickets: once, retryCookie: () => ascii('cookie') });
    const pair = pump(makePair(world.client({ session, ...modes }), server));
    expect(theEvent(pair.server, 'close').error).toMatchObject({
      alert: 'handshake_failure',
      message: 'the PSK is not good any more, and there is no key share',
    });
  });

  it('P-state-3 R8446-8.1-1 for psk_ke, whose ticket another took at the same moment: a full handshake, with a key share', () => {
    const store = new MemoryStore({ now: () => world.clock.time });
    const modes = { pskKeyExchangeModes: ['psk_ke'] } as const;
    const stateful = { ...modes, tickets: undefined, sessions: store };
    const session = world.session(modes, stateful);
    const faster = { get: store.get.bind(store), set: store.set.bind(store), delete: store.delete.bind(store) };
    const outrun = { ...stateful, sessions: { ...faster, take: () => undefined } };
    const pair = pump(makePair(world.client({ session, ...modes }), world.server(outrun)));
    expect(theEvent(pair.server, 'handshake')).toMatchObject({
      mode: 'full',
      reason: 'unknown_session_id',
      helloRetryRequest: true,
      group: 'x25519',
    });
    // With a share at hand, it takes no longer.
    const sharing = { pskKeyExchangeModes: ['psk_dhe_ke'] } as const;
    expect(serverMeets(world.client({ session, ...sharing }), world.server({ ...outrun, ...sharing }))).toBe(
      'full: unknown_session_id',
    );
  });

  it('no cipher suite in common: handshake_failure', () => {
    expect(edited((body) => ({ ...body, cipherSuites: ['TLS_AES_128_CCM_SHA256'] }))).toBe('server: handshake_failure');
  });

  it('R7301-3.2-1 no protocol in common: no_application_protocol, resumptions included', () => {
    const to = world.server({ alpnProtocols: ['h3'] });
    const from = { alpnProtocols: ['h2'] };
    expect(serverMeets(world.client(from), to)).toBe('server: no_application_protocol');
    expect(serverMeets(world.client({ ...from, session: world.session() }), to)).toBe(
      'server: no_application_protocol',
    );
  });

  it('R8449-4-2 with a record_size_limit below 64: illegal_parameter; above the maximum it is taken', () => {
    const to = world.server({ recordSizeLimit: 1000 });
    const limited = (data: number) => edited(withExtensions({ type: 'record_size_limit', data }), to);
    expect(limited(63)).toBe('server: illegal_parameter');
    const { heard, says } = listening('encrypted_extensions');
    const from = world.client({ shapeClientHello: (all) => [...all, { type: 'record_size_limit', data: 0xffff }] });
    clientMeets(from, to, says);
    expect(heard.map(typesOf)).toEqual([['record_size_limit', 'server_name']]);
  });

  it('R8449-5-1 with max_fragment_length beside record_size_limit: the server answers the second alone', () => {
    const { heard, says } = listening('encrypted_extensions');
    const from = world.client({
      recordSizeLimit: 500,
      shapeClientHello: (all) => [...all, { type: 'max_fragment_length', data: '2^9' }],
    });
    expect(clientMeets(from, world.server({ recordSizeLimit: 600 }), says)).toBe('full: not_offered');
    expect(heard.map(typesOf)).toEqual([['record_size_limit', 'server_name']]);
  });
});

it('RFC 6066 3: acknowledgeServerName false leaves the name without an answer', () => {
  const { heard, says } = listening('encrypted_extensions');
  clientMeets(client, server, says);
  clientMeets(client, world.server({ acknowledgeServerName: false }), says);
  expect(heard.map(typesOf)).toEqual([['server_name'], []]);
});

describe('the client’s last flight', () => {
  it('R8446-4.4.4-1 with a wrong Finished: decrypt_error', () => {
    const says = saying('finished', ({ verifyData }) => ({
      verifyData: verifyData.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
    }));
    expect(serverMeets(client, server, says)).toBe('server: decrypt_error');
  });

  it('with a Finished of another length: decrypt_error', () => {
    const says = saying('finished', ({ verifyData }) => ({ verifyData: verifyData.subarray(1) }));
    expect(serverMeets(client, server, says)).toBe('server: decrypt_error');
  });

  it('R8446-5.1-1 with something behind the Finished: unexpected_message', () => {
    const says = saying('finished', (body) => [
      { type: 'finished', body },
      { type: 'key_update', body: { requestUpdate: 'update_not_requested' } },
    ]);
    expect(serverMeets(client, server, says)).toBe('server: unexpected_message');
  });

  it('R8446-4.6.3-1 with a KeyUpdate before it: unexpected_message', () => {
    const says = saying('finished', () => [{ type: 'key_update', body: { requestUpdate: 'update_not_requested' } }]);
    expect(serverMeets(client, server, says)).toBe('server: unexpected_message');
  });

  it('that is an alert in the clear, because our ServerHello made no sense there: the alert is heard', () => {
    const pair = serverPair(client, server);
    pair.server.connection.receive(pair.client.connection.takeOutput());
    pair.server.connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 47));
    pair.server.events.push(...pair.server.connection.takeEvents());
    expect(theEvent(pair.server, 'close').error).toMatchObject({ alert: 'illegal_parameter', name: 'PeerAlertError' });
  });
});

describe('half-RTT data', () => {
  it('RFC 8446 2: goes out with the server’s flight, and not before', () => {
    const pair = makePair(client, server);
    expect(() => pair.server.connection.writeHalfRtt(ascii('half'))).toThrow('half-RTT');
    pair.server.connection.receive(pair.client.connection.takeOutput());
    pair.server.connection.writeHalfRtt(ascii('half'));
    pump(pair);
    expect(outcome(pair)).toBe('full: not_offered');
    expect(toHex(theEvent(pair.client, 'data').data)).toBe(toHex(ascii('half')));
  });
});
