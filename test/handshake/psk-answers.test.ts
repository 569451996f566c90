/** What a server answers to a PSK of a ticket, and what a client takes for an answer (RFC 8446 4.1.1, 4.2.9, 4.2.11, 4.3.2). */
import { describe, expect, it } from 'vitest';
import { empty, toHex } from '../../src/bytes.js';
import { Tls13KeySchedule } from '../../src/key-schedule/tls13.js';
import { type ServerHello } from '../../src/messages/index.js';
import { sessionsOf } from '../support/attack-rig-tls13.js';
import { eventsOf, pump, theEvent } from '../support/connections.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import {
  clientMeets,
  clientPair,
  listening,
  outcome,
  saying,
  serverMeets,
  serverPair,
  typesOf,
  withExtensions,
  withoutExtensions,
} from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();

describe('psk_ke', () => {
  const modes = { pskKeyExchangeModes: ['psk_ke'] } as const;
  const either = { pskKeyExchangeModes: ['psk_ke', 'psk_dhe_ke'] } as const;

  it('R8446-4.2.9-6 has no key_share in ServerHello, and zeros for a shared secret', () => {
    const session = world.session();
    const { heard, says } = listening('server_hello');
    const logs: string[] = [];
    const pair = clientPair(
      world.client({ session, ...modes, keyLog: (line) => logs.push(line) }),
      world.server(modes),
      says,
    );
    expect(outcome(pump(pair))).toBe('psk_ke');
    expect(heard.map(typesOf)).toEqual([['pre_shared_key', 'supported_versions']]);
    const schedule = new Tls13KeySchedule(world.client().crypto, 'sha256', session.psk);
    schedule.enterHandshake(undefined);
    const [clientHello, serverHello] = pair.segments.map(({ bytes }) => bytes);
    const first = (bytes: Uint8Array) => bytes.subarray(5, 5 + bytes[3]! * 256 + bytes[4]!);
    const transcript = world
      .client()
      .crypto.hash('sha256', Uint8Array.of(...first(clientHello!), ...first(serverHello!)));
    expect(logs.find((line) => line.startsWith('SERVER_HANDSHAKE'))?.split(' ')[2]).toBe(
      toHex(schedule.handshakeTraffic(transcript).server.secret),
    );
  });

  it('R8446-4.2.9-6 a key_share for a client that wanted psk_ke alone: illegal_parameter', () => {
    const session = world.session();
    const says = saying(
      'server_hello',
      withExtensions({ type: 'key_share', data: { group: 'x25519', keyExchange: new Uint8Array(32).fill(9) } }),
    );
    expect(clientMeets(world.client({ session, ...modes }), world.server(modes), says)).toBe(
      'client: illegal_parameter',
    );
  });

  it('R8446-4.2.11-13 no key_share for a client that wanted psk_dhe_ke alone: illegal_parameter', () => {
    const session = world.session();
    const says = saying('server_hello', withoutExtensions('key_share'));
    expect(clientMeets(world.client({ session }), world.server(), says)).toBe('client: illegal_parameter');
  });

  it('R8446-4.1.1-1 saves a handshake without a group in common; without it that is handshake_failure', () => {
    const session = world.session();
    const [ours, theirs] = [{ groups: ['x25519'] }, { groups: ['secp384r1'] }] as const;
    expect(serverMeets(world.client({ session, ...either, ...ours }), world.server({ ...either, ...theirs }))).toBe(
      'psk_ke',
    );
    expect(serverMeets(world.client({ session, ...ours }), world.server(theirs))).toBe('server: handshake_failure');
    expect(serverMeets(world.client(ours), world.server({ ...either, ...theirs }))).toBe('server: handshake_failure');
  });

  it('no mode in common: a full handshake', () => {
    const session = world.session();
    expect(serverMeets(world.client({ session, ...modes }), world.server())).toBe('full: psk_mode_mismatch');
  });
});

describe('a client is told of a PSK', () => {
  const session = world.session();
  const client = world.client({ session });
  const server = world.server();
  const edited = (change: (body: ServerHello) => ServerHello) =>
    clientMeets(client, server, saying('server_hello', change));

  it('R8446-4.2.11-11 that it did not offer: illegal_parameter', () => {
    for (const data of [1, 65535])
      expect(edited(withExtensions({ type: 'pre_shared_key', data }))).toBe('client: illegal_parameter');
  });

  it('and offered none at all: unsupported_extension', () => {
    const says = saying('server_hello', withExtensions({ type: 'pre_shared_key', data: 0 }));
    expect(clientMeets(world.client(), server, says)).toBe('client: unsupported_extension');
  });

  it('R8446-4.2.11-12 with a suite of another hash: illegal_parameter', () => {
    expect(edited((body) => ({ ...body, cipherSuite: 'TLS_AES_256_GCM_SHA384' }))).toBe('client: illegal_parameter');
  });

  it('P-state-3 nor of a key_share: missing_extension', () => {
    expect(edited(withoutExtensions('pre_shared_key', 'key_share'))).toBe('client: missing_extension');
    const says = saying('server_hello', withoutExtensions('key_share'));
    expect(clientMeets(world.client(), server, says)).toBe('client: missing_extension');
  });

  it('R8446-4.2.9-5 with psk_key_exchange_modes: illegal_parameter in ServerHello, unsupported_extension in EncryptedExtensions', () => {
    const modes = { type: 'psk_key_exchange_modes', data: Uint8Array.of(1, 1) } as const;
    expect(edited(withExtensions(modes))).toBe('client: illegal_parameter');
    expect(clientMeets(client, server, saying('encrypted_extensions', withExtensions(modes)))).toBe(
      'client: unsupported_extension',
    );
  });
});

describe('a server that authenticates by a PSK', () => {
  const asking = { clientAuthentication: 'request', verifyCertificate: trustingVerifier } as const;
  const withIdentity = { credentials: [clientCredentials] };
  const session = world.session(withIdentity, asking);
  const client = world.client({ session, ...withIdentity });

  it('R8446-4.3.2-1 R8446-4.4.2-1 sends no CertificateRequest, Certificate or CertificateVerify, though it is configured to', () => {
    const said: string[] = [];
    const pair = clientPair(client, world.server(asking), (message) => (said.push(message.type), [message]));
    expect(outcome(pump(pair))).toBe('psk_dhe_ke');
    expect(said).toEqual(['server_hello', 'encrypted_extensions', 'finished']);
    expect(theEvent(pair.server, 'handshake').peerCertificates).toHaveLength(2);
  });

  it.each([
    [
      'R8446-4.3.2-1 CertificateRequest',
      {
        type: 'certificate_request',
        body: { certificateRequestContext: empty, extensions: [{ type: 'signature_algorithms', data: ['ed25519'] }] },
      },
    ],
    [
      'R8446-4.4.2-1 Certificate',
      { type: 'certificate', body: { certificateRequestContext: empty, certificateList: [] } },
    ],
    [
      'R8446-4.4.2-1 CertificateVerify',
      { type: 'certificate_verify', body: { algorithm: 'ed25519', signature: empty } },
    ],
  ] as const)('and sends a %s all the same: unexpected_message', (_what, message) => {
    const says = saying('encrypted_extensions', (body) => [{ type: 'encrypted_extensions', body }, message]);
    expect(clientMeets(client, world.server(asking), says)).toBe('client: unexpected_message');
  });
});

describe('tickets', () => {
  const ticketsFor = (client: Parameters<typeof world.connect>[0], server: Parameters<typeof world.connect>[1]) =>
    sessionsOf(world.connect(client, server)).length;

  it('R8446-4.2.9-1 R9846-4.7.1-2 go to clients that can use them, and not to others', () => {
    const psk = { pskKeyExchangeModes: ['psk_ke'] } as const;
    expect(ticketsFor({}, {})).toBe(2);
    expect(ticketsFor(psk, psk)).toBe(2);
    expect(ticketsFor(psk, {})).toBe(0);
    const pair = serverPair(
      world.client(),
      world.server(),
      saying('client_hello', withoutExtensions('psk_key_exchange_modes')),
    );
    expect(outcome(pump(pair))).toBe('full: not_offered');
    expect(eventsOf(pair.client, 'session')).toEqual([]);
    expect(theEvent(pair.server, 'handshake').newTicket).toBe(false);
  });
});
