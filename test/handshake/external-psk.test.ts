/** PSKs from elsewhere (RFC 8446 4.2.11, RFC 9257) and the importer as the default way to use them (RFC 9258). */
import { describe, expect, it } from 'vitest';
import { ascii, fromAscii, toHex } from '../../src/bytes.js';
import type { ClientOptions, ExternalPskOptions, ServerOptions } from '../../src/connection/options.js';
import { importedIdentity } from '../../src/key-schedule/psk-importer.js';
import { findExtension, type ClientHello } from '../../src/messages/index.js';
import { boundHello } from '../support/attack-rig-tls13.js';
import { eventsOf, makePair, pump, testClient, theEvent, type Changes } from '../support/connections.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import { misuse } from '../support/decoding.js';
import {
  clientMeets,
  editingClient,
  helloOf,
  outcome,
  saying,
  serverMeets,
  typesOf,
  withExtensions,
  withoutExtensions,
} from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
const key = new Uint8Array(32).fill(7);
const identity = ascii('a device');
const ours = { identity, key, role: 'client' } as const;
const theirs = { identity, key, role: 'server' } as const;
const bare = { withoutImporter: true } as const;

function connect(
  client: Partial<ExternalPskOptions> = {},
  server: Partial<ExternalPskOptions> = {},
  more: { client?: Changes<ClientOptions>; server?: Changes<ServerOptions> } = {},
): string {
  return serverMeets(
    world.client({ externalPsks: [{ ...ours, ...client }], ...more.client }),
    world.server({ externalPsks: [{ ...theirs, ...server }], ...more.server }),
  );
}

const offered = (hello: ClientHello) => findExtension(hello.extensions, 'pre_shared_key');

describe('by the importer', () => {
  it('R9257-6-4 R9257-6-2 R9258-5.1-4 R9258-5.1-5 is the default: one identity for each hash, TLS 1.3, psk_dhe_ke', () => {
    const hello = helloOf(world.client({ externalPsks: [{ ...ours, context: ascii('context') }] }));
    const identities = offered(hello)?.identities.map((psk) => importedIdentity.decode(psk.identity));
    const common = { externalIdentity: identity, context: ascii('context'), targetProtocol: 'TLSv1.3' };
    expect(identities).toEqual([
      { ...common, targetKdf: 'HKDF_SHA256' },
      { ...common, targetKdf: 'HKDF_SHA384' },
    ]);
    expect(findExtension(hello.extensions, 'psk_key_exchange_modes')).toEqual(['psk_dhe_ke']);
    expect(connect()).toBe('psk_dhe_ke');
  });

  it('R9258-5.2-1 its binder has a label of its own: the same key without the importer does not do', () => {
    const [imported] = world.client({ externalPsks: [ours] }).externalPsks;
    const disguised = { ...bare, identity: imported!.identity, key: imported!.key };
    expect(connect(disguised)).toBe('server: decrypt_error');
  });

  it('R9258-5.1-6 another context is another PSK', () => {
    expect(connect({ context: ascii('a to b') }, { context: ascii('a to b') })).toBe('psk_dhe_ke');
    expect(connect({ context: ascii('a to b') }, { context: ascii('b to a') })).toBe('full: malformed');
  });

  it('R9258-4-1 what connections are given is never the key itself; it stands for the one hash that came with it', () => {
    const { externalPsks } = world.client({ externalPsks: [ours] });
    expect(externalPsks.map(({ kind, hash }) => [kind, hash])).toEqual([
      ['imported', 'sha256'],
      ['imported', 'sha384'],
    ]);
    for (const psk of externalPsks) expect(toHex(psk.key)).not.toContain(toHex(key));
    const [sha384] = world.client({ externalPsks: [{ ...ours, hash: 'sha384' }] }).externalPsks;
    expect(toHex(sha384!.key)).not.toBe(toHex(externalPsks[0]!.key));
    expect(connect({ hash: 'sha384' }, { hash: 'sha256' })).toBe('server: decrypt_error');
  });

  it('R9258-5.1-3 is for TLS 1.3 alone', () => {
    const hello = helloOf(testClient('node', 'old', { externalPsks: [ours] }));
    expect(typesOf(hello)).not.toContain('pre_shared_key');
    const both = world.client({ externalPsks: [ours], minVersion: 'TLSv1.2' });
    expect(clientMeets(both, world.server({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }))).toBe('full: disabled');
  });
});

describe('without the importer', () => {
  it('both sides have to do without it', () => {
    expect(connect(bare, bare)).toBe('psk_dhe_ke');
    expect(connect(bare)).toBe('full: malformed');
  });

  it('R8446-4.2.11-5 it belongs to the hash set with it, SHA-256 by default', () => {
    const sha384 = { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } as const;
    expect(offered(helloOf(world.client({ externalPsks: [{ ...ours, ...bare }], ...sha384 })))).toBeUndefined();
    const hash = 'sha384' as const;
    expect(connect({ ...bare, hash }, { ...bare, hash }, { client: sha384 })).toBe('psk_dhe_ke');
    expect(connect(bare, bare, { server: sha384 })).toBe('full: cipher_suite_not_offered');
  });
});

describe('the age of an external PSK', () => {
  it('R8446-4.2.11-15 is 0', () => {
    const hello = helloOf(world.client({ externalPsks: [ours, { ...ours, ...bare }] }));
    expect(offered(hello)?.identities.map(({ obfuscatedTicketAge }) => obfuscatedTicketAge)).toEqual([0, 0, 0]);
  });

  it('R8446-4.2.11-16 is ignored', () => {
    const settings = world.client({ externalPsks: [{ ...ours, ...bare }] });
    const says = saying('client_hello', (body, hs) => {
      const { identities, binders } = offered(body)!;
      const aged = identities.map((psk) => ({ ...psk, obfuscatedTicketAge: 0xdeadbeef }));
      const hello = withExtensions<ClientHello>({ type: 'pre_shared_key', data: { identities: aged, binders } })(body);
      return [boundHello(hs, hello, [{ hash: 'sha256', psk: key, kind: 'external' }])];
    });
    expect(serverMeets(settings, world.server({ externalPsks: [{ ...theirs, ...bare }] }), says)).toBe('psk_dhe_ke');
  });
});

describe('authentication', () => {
  it('R8446-E.1-1 is by the PSK alone: neither certificate nor request comes with it', () => {
    const asking = { clientAuthentication: 'request', verifyCertificate: trustingVerifier } as const;
    const client = world.client({ externalPsks: [ours], credentials: [clientCredentials] });
    const said: string[] = [];
    const outcomeOf = clientMeets(client, world.server({ externalPsks: [theirs], ...asking }), (message) => {
      said.push(message.type);
      return [message];
    });
    expect([outcomeOf, said]).toEqual(['psk_dhe_ke', ['server_hello', 'encrypted_extensions', 'finished']]);
    expect(connect({}, {}, { server: { ...asking, clientAuthentication: 'require' } })).toBe(
      'server: certificate_required',
    );
  });

  it('R8446-E.1-1 a Certificate after it is unexpected_message', () => {
    const [certificates] = world.server().credentials.map((credentials) => credentials.certificates);
    const certificateList = certificates!.map((certData) => ({ certData, extensions: [] }));
    const says = saying('encrypted_extensions', (body) => [
      { type: 'encrypted_extensions', body },
      { type: 'certificate', body: { certificateRequestContext: new Uint8Array(0), certificateList } },
    ]);
    const client = world.client({ externalPsks: [ours] });
    expect(clientMeets(client, world.server({ externalPsks: [theirs] }), says)).toBe('client: unexpected_message');
  });

  it('both sides are told by which PSK', () => {
    const pair = pump(makePair(world.client({ externalPsks: [ours] }), world.server({ externalPsks: [theirs] })));
    for (const end of [pair.client, pair.server])
      expect(theEvent(end, 'handshake')).toMatchObject({
        externalPskIdentity: identity,
        pskKind: 'imported',
        peerCertificates: [],
      });
  });

  it('R8446-E.6-1 a server of PSKs alone answers an unknown identity and a wrong binder alike: decrypt_error', () => {
    const server = { credentials: [], tickets: undefined };
    expect(connect({}, {}, { server })).toBe('psk_dhe_ke');
    expect(connect({ identity: ascii('nobody') }, {}, { server })).toBe('server: decrypt_error');
    expect(connect({ key: new Uint8Array(32) }, {}, { server })).toBe('server: decrypt_error');
    expect(serverMeets(world.client(), world.server({ ...server, externalPsks: [theirs] }))).toBe(
      'server: decrypt_error',
    );
  });
});

describe('a server without certificates', () => {
  const only = { credentials: [], tickets: undefined, externalPsks: [theirs] } as const;

  it('that may reveal identities answers one that nobody knows by handshake_failure, a wrong binder by decrypt_error', () => {
    const server = world.server({ ...only, revealUnknownPskIdentities: true });
    const stranger = world.client({ externalPsks: [{ ...ours, identity: ascii('nobody') }] });
    expect(serverMeets(stranger, server)).toBe('server: handshake_failure');
    expect(serverMeets(world.client(), server)).toBe('server: handshake_failure');
    const impostor = world.client({ externalPsks: [{ ...ours, key: new Uint8Array(32) }] });
    expect(serverMeets(impostor, server)).toBe('server: decrypt_error');
    expect(serverMeets(world.client({ externalPsks: [ours] }), server)).toBe('psk_dhe_ke');
  });

  it('and without a PSK key exchange mode in common: handshake_failure', () => {
    const client = world.client({ externalPsks: [ours], pskKeyExchangeModes: ['psk_ke'] });
    expect(serverMeets(client, world.server(only))).toBe('server: handshake_failure');
  });
});

describe('several of them', () => {
  const device = (name: string) => ({ ...bare, identity: ascii(name), key: ascii(name.padEnd(32)) });
  const [a, b, c] = [device('a'), device('b'), device('c')];
  const chosen = (ofClient: Changes<ClientOptions>, ofServer: readonly ExternalPskOptions[]) => {
    const pair = pump(makePair(world.client(ofClient), world.server({ externalPsks: ofServer })));
    const { mode, pskKind, externalPskIdentity } = theEvent(pair.server, 'handshake');
    return [mode, pskKind, externalPskIdentity && fromAscii(externalPskIdentity)];
  };
  const offering = [c, a, b].map((psk) => ({ ...psk, role: 'client' as const }));
  const having = (...psks: readonly ReturnType<typeof device>[]) =>
    psks.map((psk) => ({ ...psk, role: 'server' as const }));

  it('are tried in the order of the server', () => {
    expect(chosen({ externalPsks: offering }, having(b, a, c))).toEqual(['psk_dhe_ke', 'external', 'b']);
    expect(chosen({ externalPsks: offering }, having(a, b))).toEqual(['psk_dhe_ke', 'external', 'a']);
    expect(chosen({ externalPsks: offering }, having(c))).toEqual(['psk_dhe_ke', 'external', 'c']);
  });

  it('and a ticket that stands before them goes first', () => {
    const session = world.session({ externalPsks: offering });
    expect(chosen({ session, externalPsks: offering }, having(b, a))).toEqual(['psk_dhe_ke', 'resumption', undefined]);
  });

  it('are told by their kind', () => {
    expect(chosen({ externalPsks: [ours] }, [theirs])).toEqual(['psk_dhe_ke', 'imported', fromAscii(identity)]);
  });
});

describe('roles', () => {
  it('P-psk-1 a server refuses the PSK that is ours as a client: illegal_parameter', () => {
    const node = { externalPsks: [ours] };
    expect(serverMeets(world.client(node), world.server(node))).toBe('server: illegal_parameter');
    const found = world.client(node).externalPsks;
    const findExternalPsk = (wanted: Uint8Array) => found.find((psk) => toHex(psk.identity) === toHex(wanted));
    expect(serverMeets(world.client(node), world.server({ findExternalPsk }))).toBe('server: illegal_parameter');
  });

  it('P-psk-1 a client offers none that is ours as a server', () => {
    expect(offered(helloOf(world.client({ externalPsks: [theirs] })))).toBeUndefined();
  });

  it('findExternalPsk is asked for what is not in the list, and may take its time', async () => {
    const asked: string[] = [];
    const { externalPsks } = world.server({ externalPsks: [theirs] });
    const server = world.server({
      findExternalPsk: (wanted) => {
        asked.push(toHex(wanted));
        return Promise.resolve(externalPsks.find((psk) => toHex(psk.identity) === toHex(wanted)));
      },
    });
    const pair = makePair(world.client({ externalPsks: [ours] }), server, { driver: 'async' });
    for (let turn = 0; turn < 10; turn++) {
      pump(pair);
      await new Promise(setImmediate);
    }
    expect(outcome(pair)).toBe('psk_dhe_ke');
    expect(asked).toEqual([toHex(externalPsks[0]!.identity)]);
  });
});

describe('identities', () => {
  it('R9257-6.1.2-1 a ticket is a ticket: as an external PSK of the same bytes and key it does not verify', () => {
    const session = world.session();
    const stolen = { ...ours, ...bare, identity: session.ticket!, key: session.psk };
    expect(serverMeets(world.client({ externalPsks: [stolen] }), world.server())).toBe('server: decrypt_error');
  });

  it('R9257-6-1 a key has 16 bytes at least, an identity 1 to 65535', () => {
    const refused = (changes: Partial<ExternalPskOptions>) =>
      misuse(() => world.client({ externalPsks: [{ ...ours, ...changes }] }));
    expect(refused({ key: new Uint8Array(15) })).toBe('invalid_key');
    expect(refused({ ...bare, key: new Uint8Array(15) })).toBe('invalid_key');
    expect(refused({ identity: new Uint8Array(0) })).toBe('invalid_option');
    expect(refused({ ...bare, identity: new Uint8Array(2 ** 16) })).toBe('invalid_option');
    expect(refused({ key: new Uint8Array(16) })).toBeUndefined();
  });
});

describe('early data', () => {
  it('R9258-5.1-7 is never under an external PSK, which has no parameters for it', () => {
    const client = world.client({ externalPsks: [ours], earlyData: true });
    expect(typesOf(helloOf(client))).not.toContain('early_data');
    const { client: end } = makePair(client, world.server({ externalPsks: [theirs] }));
    expect(end.connection.earlyDataAllowance).toBe(0);
  });

  it('R9258-5.1-7 a server rejects it there', () => {
    const settings = world.client({ externalPsks: [{ ...ours, ...bare }] });
    const says = saying('client_hello', (body, hs) => {
      const psk = body.extensions!.at(-1)!;
      const hello = withExtensions<ClientHello>(
        { type: 'early_data', data: {} },
        psk,
      )(withoutExtensions<ClientHello>('pre_shared_key')(body));
      return [boundHello(hs, hello, [{ hash: 'sha256', psk: key, kind: 'external' }])];
    });
    const pair = {
      client: editingClient(settings, says),
      server: makePair(settings, world.server({ externalPsks: [{ ...theirs, ...bare }] })).server,
      segments: [],
    };
    pump(pair);
    expect(eventsOf(pair.server, 'early_data')).toEqual([
      { type: 'early_data', accepted: false, reason: 'not_first_identity' },
    ]);
    expect(outcome(pair)).toBe('psk_dhe_ke');
  });
});

it('tickets of a connection by an external PSK resume while the PSK is still in use', () => {
  const psks = { client: { externalPsks: [ours] }, server: { externalPsks: [theirs] } };
  const session = world.session(psks.client, psks.server);
  expect(serverMeets(world.client({ session, ...psks.client }), world.server(psks.server))).toBe('psk_dhe_ke');
  expect(typesOf(helloOf(world.client({ session })))).not.toContain('pre_shared_key');
  // P-bind-2: a key that has leaked is replaced, and nobody goes on resuming what was made with it.
  const replaced = new Uint8Array(32).fill(9);
  const offering = { session, externalPsks: [{ ...ours, key: replaced }] };
  const hello = helloOf(world.client(offering));
  expect(offered(hello)?.identities.some((psk) => toHex(psk.identity) === toHex(session.ticket!))).toBe(false);
  const here = { ...psks.server, externalPsks: [{ ...theirs, key: replaced }] };
  const kept = pump(makePair(world.client({ session, ...psks.client }), world.server(here)));
  expect(outcome(kept, 'server')).toBe('server: decrypt_error');
});
