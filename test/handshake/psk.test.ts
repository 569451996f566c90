/** Offering a PSK of a ticket, and what a server looks at in the offer (RFC 8446 4.2.9, 4.2.11, 4.6.1, 9.2). */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { findExtension, type ClientHello } from '../../src/messages/index.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import { boundHello, type PskKey } from '../support/attack-rig-tls13.js';
import { makePair, pump, theEvent, ticketKey, ticketSealer } from '../support/connections.js';
import { ed25519Credentials } from '../support/credentials.js';
import {
  binderKeyOf,
  clientMeets,
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

  it('RFC 6066 3: does not acknowledge the name again', () => {
    const { heard, says } = listening('encrypted_extensions');
    expect(clientMeets(world.client(), server, says)).toBe('full: not_offered');
    expect(clientMeets(client, server, says)).toBe('psk_dhe_ke');
    expect(heard.map(typesOf)).toEqual([['server_name'], []]);
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

  it('R8446-4.2.11.1-1 tells by how much the age of its ticket is off, and of what kind the PSK is', () => {
    const ofServer = (from: ReturnType<typeof world.client>) => {
      const { ticketAgeSkew, pskKind } = theEvent(pump(makePair(from, server)).server, 'handshake');
      return { ticketAgeSkew, pskKind };
    };
    const { time } = world.clock;
    for (const skew of [0, 60_000, -500])
      expect(ofServer(world.client({ session, now: () => time + skew }))).toEqual({
        ticketAgeSkew: skew,
        pskKind: 'resumption',
      });
    expect(ofServer(world.client())).toEqual({ ticketAgeSkew: undefined, pskKind: undefined });
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
