/** Every group of key exchange in whole handshakes (RFC 8446 4.2.7, 4.2.8, 4.1.4; RFC 8422; draft-ietf-tls-ecdhe-mlkem). */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { CryptoBackend, KeyExchangeGroup } from '../../src/crypto/backend.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { findExtension } from '../../src/messages/index.js';
import { clientSessionState } from '../../src/sessions/session-state.js';
import type { Session } from '../../src/sessions/session.js';
import { connectSync, makeWorld, sessionOf, tls12Kinds } from '../support/attack-rig.js';
import {
  connect,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  type Changes,
  type Pair,
} from '../support/connections.js';
import { curves, mlKemGroups } from '../crypto/backends.js';
import { backendNames, seededCrypto } from '../support/seeded.js';
import { clientMeets, saying, serverMeets, withExtensions } from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const invalid = expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }) as Error;

describe.each(backendNames)('on %s', (backend) => {
  const crypto = withPostQuantum(seededCrypto(backend, 'groups'));
  const meet = (client: Changes<ClientOptions>, server: Changes<ServerOptions>): Promise<Pair> => {
    const both = { crypto, maxVersion: 'TLSv1.3' } as const;
    return connect(
      testClient(backend, 'groups', { ...both, ...client }),
      testServer(backend, 'groups', { ...both, ...server }),
    );
  };
  const facts = ({ client, server }: Pair) => {
    const [ofClient, ofServer] = [theEvent(client, 'handshake'), theEvent(server, 'handshake')];
    expect(ofServer.group).toBe(ofClient.group);
    return [ofClient.version, ofClient.group, ofClient.helloRetryRequest];
  };

  it.each([...curves, ...mlKemGroups])('%s: at once, and after a HelloRetryRequest', async (group) => {
    const tls13 = { minVersion: 'TLSv1.3' } as const;
    expect(facts(await meet({ ...tls13, groups: [group] }, { ...tls13, groups: [group] }))).toEqual([
      'TLSv1.3',
      group,
      false,
    ]);
    const other = group === 'x25519' ? 'secp256r1' : 'x25519';
    const offering = { ...tls13, groups: [other, group] } as const;
    expect(facts(await meet(offering, { ...tls13, groups: [group] }))).toEqual(['TLSv1.3', group, true]);
  });

  it.each(curves)('%s in TLS 1.2', async (group) => {
    // The curve of the certificate has to be on offer as well.
    const client = { maxVersion: 'TLSv1.2', groups: [group, 'secp256r1'] } as const;
    expect(facts(await meet(client, { groups: [group] }))).toEqual(['TLSv1.2', group, false]);
  });

  it.each(tls12Kinds)('a session of TLS 1.2 remembers it (%s)', (kind) => {
    const world = makeWorld(kind, backend);
    const server = world.server({ groups: ['secp384r1'] });
    const session = sessionOf(connectSync(world.client(), server));
    expect(session).toMatchObject({ group: 'secp384r1' });
    const resumed = (offered: Session | undefined, to = server) => {
      const pair = connectSync(world.client({ session: offered }), to);
      return [theEvent(pair.server, 'handshake').mode, ...facts(pair)];
    };
    expect(resumed(clientSessionState.decode(clientSessionState.encode(session)))).toEqual([
      kind,
      'TLSv1.2',
      'secp384r1',
      false,
    ]);
    const elsewhere = world.server({ groups: ['x25519'], renewTickets: 'always' });
    expect(resumed(session, elsewhere)).toEqual([kind, 'TLSv1.2', 'secp384r1', false]);
  });

  it('TLS 1.2 under a PSK: the session remembers it as well', () => {
    const { sealer } = ticketSealer(backend, 'psk');
    const psk = { identity: ascii('client'), key: new Uint8Array(16).fill(1) };
    const server = testServer(backend, 'psk', { tickets: sealer, findTls12Psk: () => psk.key, groups: ['secp384r1'] });
    const meeting = (session?: Session) =>
      connectSync(testClient(backend, 'psk', { selectTls12Psk: () => psk, session }), server);
    const first = meeting();
    expect(theEvent(first.server, 'handshake').externalPskIdentity).toEqual(psk.identity);
    const again = meeting(sessionOf(first));
    expect([theEvent(again.server, 'handshake').mode, ...facts(again)]).toEqual([
      'ticket',
      'TLSv1.2',
      'secp384r1',
      false,
    ]);
  });

  it('TLS 1.2 has no ML-KEM: it is neither offered nor chosen', async () => {
    const groups = ['MLKEM1024', 'SecP256r1MLKEM768', 'secp256r1'] as const;
    expect(testClient(backend, 'old', { crypto, groups }).ecdheGroups).toEqual(['secp256r1']);
    expect(facts(await meet({ maxVersion: 'TLSv1.2', groups }, { groups }))).toEqual(['TLSv1.2', 'secp256r1', false]);
    expect(() => testClient(backend, 'old', { crypto, groups: ['MLKEM1024'] })).toThrow(invalid);
  });
});

describe('groups and key shares, unless they are named', () => {
  const hybrid = withPostQuantum(seededCrypto('node', 'defaults'));
  const plain = seededCrypto('node', 'defaults');
  const of = (crypto: CryptoBackend, groups?: readonly KeyExchangeGroup[]) =>
    testClient('node', 'defaults', { crypto, groups, maxVersion: 'TLSv1.3' });

  it('are X25519MLKEM768 where the backend has it, and three curves', () => {
    expect(of(hybrid).groups).toEqual(['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1']);
    expect(of(plain).groups).toEqual(['x25519', 'secp256r1', 'secp384r1']);
    expect(testServer('node', 'defaults', { crypto: hybrid }).groups).toEqual(of(hybrid).groups);
  });

  it.each<[readonly KeyExchangeGroup[], readonly KeyExchangeGroup[]]>([
    [
      ['MLKEM1024', 'x25519', 'secp256r1'],
      ['MLKEM1024', 'x25519'],
    ],
    [
      ['SecP384r1MLKEM1024', 'X25519MLKEM768', 'secp521r1', 'x25519'],
      ['SecP384r1MLKEM1024', 'secp521r1'],
    ],
    [['secp521r1', 'x25519', 'MLKEM768'], ['secp521r1']],
  ])('of %j: shares of %j', (groups, shares) => {
    expect(of(hybrid, groups).keyShareGroups).toEqual(shares);
  });
});

describe('a share that is of no use: illegal_parameter', () => {
  const world = makeWorld13();
  const crypto = withPostQuantum(seededCrypto('node', 'useless'));
  const point = (group: 'secp256r1' | 'secp384r1' | 'secp521r1') => {
    const offCurve = nobleKeyShare(group).publicKey.slice();
    offCurve[offCurve.length - 1]! ^= 1;
    return offCurve;
  };
  const shorter = (share: Uint8Array) => share.subarray(1);
  const longer = (share: Uint8Array) => Uint8Array.of(...share, 0);
  const offCurve = (group: 'secp256r1' | 'secp384r1' | 'secp521r1') => (share: Uint8Array) => {
    const changed = share.slice();
    changed.set(point(group));
    return changed;
  };
  /** 3329 as the first coefficient (FIPS 203 7.2). */
  const unreduced = (at: number) => (share: Uint8Array) => {
    const changed = share.slice();
    changed.set([0x01, 0x0d | (share[at + 1]! & 0xf0)], at);
    return changed;
  };
  type Change = (share: Uint8Array) => Uint8Array;

  it.each<[KeyExchangeGroup, string, Change, 'both' | 'server']>([
    ['secp521r1', 'off the curve', offCurve('secp521r1'), 'both'],
    ['secp521r1', 'a byte short', shorter, 'both'],
    ['SecP256r1MLKEM768', 'off the curve', offCurve('secp256r1'), 'both'],
    ['SecP256r1MLKEM768', 'a byte long', longer, 'both'],
    ['SecP256r1MLKEM768', 'not reduced', unreduced(65), 'server'],
    ['SecP384r1MLKEM1024', 'off the curve', offCurve('secp384r1'), 'both'],
    ['SecP384r1MLKEM1024', 'a byte short', shorter, 'both'],
    ['SecP384r1MLKEM1024', 'not reduced', unreduced(97), 'server'],
    ['MLKEM1024', 'a byte long', longer, 'both'],
    ['MLKEM1024', 'a byte short', shorter, 'both'],
    ['MLKEM1024', 'not reduced', unreduced(0), 'server'],
  ])('%s %s', (group, _how, change, who) => {
    const options = { crypto, groups: [group] };
    const [client, server] = [world.client(options), world.server(options)];
    const ofClient = saying('client_hello', (body) => {
      const [entry] = findExtension(body.extensions, 'key_share') ?? [];
      const data = [{ group, keyExchange: change(entry!.keyExchange) }];
      return withExtensions<typeof body>({ type: 'key_share', data })(body);
    });
    expect(serverMeets(client, server, ofClient)).toBe('server: illegal_parameter');
    if (who === 'server') return;
    const ofServer = saying('server_hello', (body) => {
      const { keyExchange } = findExtension(body.extensions, 'key_share')!;
      const data = { group, keyExchange: change(keyExchange) };
      return withExtensions<typeof body>({ type: 'key_share', data })(body);
    });
    expect(clientMeets(client, server, ofServer)).toBe('client: illegal_parameter');
  });
});
