/** Offering and accepting a PSK of a ticket (RFC 8446 4.1.1, 4.2.9, 4.2.11, 4.6.1, 9.2). */
import { describe, expect, it } from 'vitest';
import { ascii, empty, toHex } from '../../src/bytes.js';
import { Tls13KeySchedule } from '../../src/key-schedule/tls13.js';
import { findExtension, type ClientHello, type ServerHello } from '../../src/messages/index.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import { boundHello, type PskKey, sessionsOf } from '../support/attack-rig-tls13.js';
import { eventsOf, makePair, pump, theEvent, ticketKey, ticketSealer } from '../support/connections.js';
import { clientCredentials, ed25519Credentials, trustingVerifier } from '../support/credentials.js';
import {
  binderKeyOf,
  clientMeets,
  clientPair,
  helloOf,
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
const sha384 = { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } as const;
const sha256 = { cipherSuites: ['TLS_AES_128_GCM_SHA256'] } as const;

const pskIn = (hello: ClientHello) => findExtension(hello.extensions, 'pre_shared_key');

describe('a client that offers a PSK', () => {
  it('R8446-4.2.11-2 R8446-4.2.9-2 puts pre_shared_key last, whatever shapes the rest, and psk_key_exchange_modes beside it', () => {
    const session = world.session();
    const shaped = world.client({ session, shapeClientHello: (extensions) => [...extensions].reverse() });
    for (const settings of [world.client({ session }), world.client({ session, earlyData: true }), shaped]) {
      const types = typesOf(helloOf(settings));
      expect(types.at(-1)).toBe('pre_shared_key');
      expect(types).toContain('psk_key_exchange_modes');
    }
  });

  it('R9325-3.4-7 does so for psk_dhe_ke, unless told', () => {
    const modes = (settings: ReturnType<typeof world.client>) =>
      findExtension(helloOf(settings).extensions, 'psk_key_exchange_modes');
    expect(modes(world.client())).toEqual(['psk_dhe_ke']);
    expect(modes(world.client({ pskKeyExchangeModes: ['psk_ke', 'psk_dhe_ke'] }))).toEqual(['psk_ke', 'psk_dhe_ke']);
  });

  it('R8446-2.2-1 sends a key share, so that the server may decline; for psk_ke alone it waits to be asked for one', () => {
    const session = world.session();
    const { sealer } = ticketSealer('node', 'other', { keys: [ticketKey('node', 'other')] });
    const declined = (changes: { pskKeyExchangeModes?: readonly ['psk_ke'] }) => {
      const client = world.client({ session, ...changes });
      const pair = pump(makePair(client, world.server({ tickets: sealer, ...changes })));
      expect(outcome(pair)).toBe('full: unknown_key_name');
      const { helloRetryRequest } = theEvent(pair.client, 'handshake');
      return { shares: findExtension(helloOf(client).extensions, 'key_share')?.length, helloRetryRequest };
    };
    expect(declined({})).toEqual({ shares: 1, helloRetryRequest: false });
    expect(declined({ pskKeyExchangeModes: ['psk_ke'] })).toEqual({ shares: 0, helloRetryRequest: true });
  });

  it('R8446-4.1.2-6 has a suite with its hash; without one it offers none', () => {
    const session = world.session(sha384, sha384);
    expect(pskIn(helloOf(world.client({ session })))?.identities).toHaveLength(1);
    expect(pskIn(helloOf(world.client({ session, ...sha256 })))).toBeUndefined();
    // The very suite is not needed (RFC 8446 4.2.11).
    const chacha = world.session(sha256, sha256);
    const other = { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] } as const;
    expect(clientMeets(world.client({ session: chacha, ...other }), world.server())).toBe('psk_dhe_ke');
  });

  it('R8446-4.2.11.1-1 tells the age of its ticket in milliseconds, hidden by ticket_age_add', () => {
    const session = world.session();
    const ageOf = (from: Tls13Session, age: number) => {
      world.clock.time = from.issuedAt + age;
      const [identity] = pskIn(helloOf(world.client({ session: from })))!.identities;
      return identity!.obfuscatedTicketAge;
    };
    expect(ageOf(session, 12345)).toBe((session.ticketAgeAdd + 12345) % 2 ** 32);
    expect(ageOf({ ...session, ticketAgeAdd: 2 ** 32 - 1 }, 3)).toBe(2);
    expect(ageOf({ ...session, ticketAgeAdd: 5 }, 0)).toBe(5);
    world.clock.time = session.issuedAt + 1000;
  });

  it('R8446-4.2.11.1-2 leaves out a ticket that is older than its lifetime', () => {
    const session = world.session({}, { ticketLifetime: 100 });
    const { issuedAt } = session;
    world.clock.time = issuedAt + 100_000;
    expect(pskIn(helloOf(world.client({ session })))).toBeDefined();
    world.clock.time = issuedAt + 100_001;
    expect(pskIn(helloOf(world.client({ session })))).toBeUndefined();
    world.clock.time = issuedAt + 1000;
  });

  it('R8446-4.2.11-1 R8446-4.6.1-2 stores the server name with it, and offers it for the same name alone', () => {
    const session = world.session();
    expect(session.serverName).toBe('server.example');
    expect(pskIn(helloOf(world.client({ session, serverName: 'other.example' })))).toBeUndefined();
    expect(pskIn(helloOf(world.client({ session, serverName: undefined })))).toBeUndefined();
    expect(pskIn(helloOf(world.client({ session, serverName: 'SERVER.example' })))).toBeDefined();
  });

  it('R8446-4.6.1-1 has the chain of the full handshake judged again for the name', () => {
    const session = world.session();
    const asked: unknown[] = [];
    const settings = world.client({
      session,
      verifyCertificate: (question) => {
        asked.push(question);
        return { accepted: false, alert: 'certificate_expired', reason: 'test' };
      },
    });
    expect(pskIn(helloOf(settings))).toBeUndefined();
    expect(asked).toEqual([
      { certificates: session.peerCertificates, role: 'server', serverName: 'server.example', resumed: true },
    ]);
  });
});

describe('a server that is offered a PSK', () => {
  const session = world.session();
  const client = world.client({ session });
  const server = world.server();

  it('R8446-4.2.11-3 that is not the last extension: illegal_parameter', () => {
    const says = saying('client_hello', (body) => ({
      ...body,
      extensions: [body.extensions!.at(-1)!, ...body.extensions!.slice(0, -1)],
    }));
    expect(serverMeets(client, server, says)).toBe('server: illegal_parameter');
  });

  it('R8446-4.2.9-3 without psk_key_exchange_modes: missing_extension', () => {
    const says = saying('client_hello', withoutExtensions('psk_key_exchange_modes'));
    expect(serverMeets(client, server, says)).toBe('server: missing_extension');
  });

  it('R8446-4.6.1-3 reports the name in this ClientHello', () => {
    const pair = pump(makePair(client, server));
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ mode: 'psk_dhe_ke', serverName: 'server.example' });
    const other = world.client({ session: { ...session, serverName: 'other.example' }, serverName: 'other.example' });
    const declined = pump(makePair(other, server));
    expect(outcome(declined)).toBe('full: server_name_mismatch');
    expect(theEvent(declined.server, 'handshake').serverName).toBe('other.example');
  });

  it.each<[string, (session: Tls13Session) => Tls13Session, string]>([
    ['unknown', (s) => ({ ...s, ticket: ascii('somebody else’s ticket of another shape altogether') }), 'malformed'],
    ['changed', (s) => ({ ...s, ticket: s.ticket!.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) }), 'bad_mac'],
    ['under an unknown key', (s) => ({ ...s, ticket: s.ticket!.map((byte) => byte ^ 1) }), 'unknown_key_name'],
  ])('R8446-4.2.11-7 R8446-4.2.11-8 %s: a certificate handshake follows', (_what, change, reason) => {
    expect(outcome(pump(makePair(world.client({ session: change(session) }), server)))).toBe(`full: ${reason}`);
  });

  it('R8446-4.2.11-7 expired: a certificate handshake follows', () => {
    const later = session.issuedAt + 2 * 60 * 60 * 1000 + 1;
    const slow = world.client({ session, now: () => session.issuedAt + 1000 });
    expect(outcome(pump(makePair(slow, world.server({ now: () => later }))))).toBe('full: expired');
  });

  it('R8446-4.2.11-8 and no signature scheme in common: handshake_failure', () => {
    const { sealer } = ticketSealer('node', 'other', { keys: [ticketKey('node', 'other')] });
    const other = world.server({ tickets: sealer, credentials: [ed25519Credentials] });
    const says = saying('client_hello', (body, hs) => [
      boundHello(
        hs,
        withExtensions<ClientHello>(
          { type: 'signature_algorithms', data: ['rsa_pss_rsae_sha256'] },
          body.extensions!.at(-1)!,
        )(body),
        [binderKeyOf(session)],
      ),
    ]);
    expect(serverMeets(client, other, says)).toBe('server: handshake_failure');
  });

  describe('several at once', () => {
    const second = world.session();
    const offering = world.client({ session: [session, second] });
    const rebinding = (keys: readonly (PskKey | undefined)[], change: (body: ClientHello) => ClientHello = (b) => b) =>
      saying('client_hello', (body, hs) => [boundHello(hs, change(body), keys)]);
    const garbling = (index: number) => (body: ClientHello) => {
      const offered = pskIn(body)!;
      const identities = offered.identities.map((identity, i) =>
        i === index ? { ...identity, identity: ascii('garbage of no ticket of ours at all') } : identity,
      );
      return withExtensions<ClientHello>({ type: 'pre_shared_key', data: { ...offered, identities } })(body);
    };

    it('R8446-4.2.11-10 the first that is good, and its binder alone is checked', () => {
      const selected = (pair: ReturnType<typeof serverPair>) => outcome(pump(pair), 'server');
      // Both placeholders stay: the binder of the second identity is zeros.
      expect(selected(serverPair(offering, server, rebinding([binderKeyOf(session), undefined])))).toBe('psk_dhe_ke');
      // A first identity that nobody knows, with a binder of zeros.
      const unknownFirst = rebinding([undefined, binderKeyOf(second)], garbling(0));
      expect(selected(serverPair(offering, server, unknownFirst))).toBe('psk_dhe_ke');
      // The one that is selected has to be right.
      const wrong = { hash: 'sha256' as const, psk: new Uint8Array(32) };
      expect(selected(serverPair(offering, server, rebinding([wrong, binderKeyOf(second)])))).toBe(
        'server: decrypt_error',
      );
    });

    it('R8446-4.2.11-4 as many binders as identities: illegal_parameter', () => {
      const says = saying('client_hello', (body) => {
        const offered = pskIn(body)!;
        const data = { ...offered, binders: offered.binders.slice(1) };
        return withExtensions<ClientHello>({ type: 'pre_shared_key', data })(body);
      });
      expect(serverMeets(offering, server, says)).toBe('server: illegal_parameter');
    });
  });
});

describe('R8446-9.2-1 a ClientHello lacks', () => {
  const server = world.server();
  const client = world.client();

  it.each([
    ['signature_algorithms', ['signature_algorithms']],
    ['supported_groups and key_share', ['supported_groups', 'key_share']],
    ['supported_groups', ['supported_groups']],
    ['key_share', ['key_share']],
  ] as const)('%s: missing_extension', (_what, types) => {
    const says = saying('client_hello', withoutExtensions(...types));
    expect(serverMeets(client, server, says)).toBe('server: missing_extension');
  });

  it('groups beside a PSK, one without the other: missing_extension', () => {
    const session = world.session();
    for (const type of ['supported_groups', 'key_share'] as const) {
      const says = saying('client_hello', (body, hs) => [
        boundHello(hs, withoutExtensions<ClientHello>(type)(body), [binderKeyOf(session)]),
      ]);
      expect(serverMeets(world.client({ session }), server, says)).toBe('server: missing_extension');
    }
  });

  it('nothing that a PSK does not need: it resumes by psk_ke', () => {
    const session = world.session();
    const modes = { pskKeyExchangeModes: ['psk_ke'] } as const;
    const bare = withoutExtensions<ClientHello>('supported_groups', 'key_share', 'signature_algorithms');
    const says = saying('client_hello', (body, hs) => [boundHello(hs, bare(body), [binderKeyOf(session)])]);
    expect(serverMeets(world.client({ session, ...modes }), world.server(modes), says)).toBe('psk_ke');
  });
});

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

  it('R8446-4.2.9-5 with psk_key_exchange_modes in any message: illegal_parameter', () => {
    const modes = { type: 'psk_key_exchange_modes', data: Uint8Array.of(1, 1) } as const;
    expect(edited(withExtensions(modes))).toBe('client: illegal_parameter');
    expect(clientMeets(client, server, saying('encrypted_extensions', withExtensions(modes)))).toBe(
      'client: illegal_parameter',
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
