/** Every rule of resumption that can be switched off: each by its own name, alone, and for every kind of resumption. */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { UsageError } from '../../src/errors.js';
import type { BindingOverrides } from '../../src/sessions/binding-overrides.js';
import { connectSync, kinds, makeWorld, offer, outcome, type Kind } from '../support/attack-rig.js';
import { makeTls13World, maxEarlyData } from '../support/attack-rig-tls13.js';
import { hour, makePair, pump, testServer, theEvent, type Changes } from '../support/connections.js';
import { clientCredentials, trustingVerifier } from '../support/credentials.js';
import { refusal } from '../support/verifiers.js';

interface Case {
  readonly reason: string;
  readonly madeBy?: Changes<ClientOptions>;
  readonly madeAt?: Changes<ServerOptions>;
  readonly offeredBy?: Changes<ClientOptions>;
  readonly offeredAt?: Changes<ServerOptions>;
  readonly hours?: number;
  readonly of?: readonly Kind[];
}

const week = 7 * 24;
const asked = { clientAuthentication: 'request', verifyCertificate: trustingVerifier } as const;
const required = { clientAuthentication: 'require', verifyCertificate: trustingVerifier } as const;
const long = { maximumSessionAge: 2 * week * hour, sessionLifetime: 2 * week * hour };
const sha256 = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] as const;
const others = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'] as const;

const cases: Readonly<
  Record<Exclude<keyof BindingOverrides, 'allowEarlyDataOfOtherApplicationProtocols'>, Case | 'binding.test.ts'>
> = {
  allowSessionsOlderThanSevenDays: {
    reason: 'too_old',
    madeAt: long,
    offeredAt: long,
    hours: week + 1,
    of: ['session_id'],
  },
  allowSessionsOfDisabledCipherSuites: {
    reason: 'cipher_suite_disabled',
    madeAt: { cipherSuites: sha256 },
    offeredAt: { cipherSuites: others },
    of: ['session_id', 'ticket'],
  },
  // Our clients and servers are of one transport each.
  allowSessionsOfOtherTransports: 'binding.test.ts',
  allowSessionsOfOtherServerNames: { reason: 'server_name_mismatch', offeredBy: { serverName: 'other.example' } },
  allowSessionsOfOtherApplicationContexts: {
    reason: 'context_mismatch',
    madeAt: { applicationContext: ascii('one') },
    offeredAt: { applicationContext: ascii('other') },
  },
  allowSessionsOfOtherClientAuthenticationPolicies: {
    reason: 'client_authentication_mismatch',
    madeBy: { credentials: [clientCredentials] },
    madeAt: asked,
    offeredAt: { ...asked, revocationEpoch: 1 },
  },
  allowSessionsWithoutRequiredClientCertificate: {
    reason: 'client_certificate_missing',
    madeAt: asked,
    offeredBy: { credentials: [clientCredentials] },
    offeredAt: { ...required, bindingOverrides: { allowSessionsOfOtherClientAuthenticationPolicies: true } },
  },
  allowSessionsOfPeersThatAreNotJudgedAgain: {
    reason: 'certificate_refused',
    madeBy: { credentials: [clientCredentials] },
    madeAt: asked,
    offeredAt: { ...asked, verifyCertificate: () => refusal('certificate_revoked') },
  },
};

describe.each(
  Object.entries(cases).flatMap(([override, rule]) => (rule === 'binding.test.ts' ? [] : [{ override, ...rule }])),
)('$override', ({ override, reason, madeBy, madeAt, offeredBy, offeredAt, hours = 0, of = kinds }) => {
  it.each(of)('%s: declined without it, resumed with it', (kind) => {
    const resumed = (overrides: BindingOverrides) => {
      const world = makeWorld(kind);
      const first = connectSync(world.client(madeBy), world.server({ ...madeAt, bindingOverrides: overrides }));
      world.clock.time += hours * hour;
      const bindingOverrides = { ...offeredAt?.bindingOverrides, ...overrides };
      return outcome(offer(first, world.client(offeredBy), world.server({ ...offeredAt, bindingOverrides })));
    };
    expect(resumed({})).toBe(`full: ${reason}`);
    expect(resumed({ [override]: false })).toBe(`full: ${reason}`);
    expect(resumed({ [override]: true })).toBe(kind);
  });
});

describe('of a client', () => {
  const attempts = (overrides: BindingOverrides) => {
    const world = makeTls13World();
    const session = world.session({ serverName: 'one.example' });
    const to = (changes: Changes<ClientOptions>) => {
      const at = world.server({ bindingOverrides: { allowSessionsOfOtherServerNames: true } });
      const pair = pump(makePair(world.client({ session, bindingOverrides: overrides, ...changes }), at));
      return theEvent(pair.server, 'handshake').reason ?? 'resumed';
    };
    return [
      to({ serverName: 'other.example' }),
      to({ serverName: 'one.example', verifierIdentity: 'another' }),
      to({
        serverName: 'one.example',
        verifyCertificate: (asked) => (asked.resumed ? refusal('certificate_expired') : trustingVerifier(asked)),
      }),
    ];
  };
  it('P-bind-5 P-bind-6 a session is not offered elsewhere, unless that is switched on', () => {
    expect(attempts({})).toEqual(['not_offered', 'not_offered', 'not_offered']);
    expect(attempts({ allowSessionsOfOtherServerNames: true })).toEqual(['resumed', 'not_offered', 'not_offered']);
    expect(attempts({ allowSessionsOfOtherApplicationContexts: true })).toEqual([
      'not_offered',
      'resumed',
      'not_offered',
    ]);
    expect(attempts({ allowSessionsOfPeersThatAreNotJudgedAgain: true })).toEqual([
      'not_offered',
      'not_offered',
      'resumed',
    ]);
  });
});

it('R8446-4.2.10-1 allowEarlyDataOfOtherApplicationProtocols: the server reads what was written for another protocol', () => {
  const reasonWith = (bindingOverrides: BindingOverrides) => {
    const world = makeTls13World();
    const earlyData = { maxSize: maxEarlyData, replayGuard: world.guard, ticketsAreOfThisProcessAlone: true };
    const made = world.session({ alpnProtocols: ['h2'] }, { alpnProtocols: ['h2'] });
    // An honest client would not send any.
    const session = { ...made, alpnProtocol: 'http/1.1' };
    const client = world.client({ session, earlyData: true, alpnProtocols: ['http/1.1'] });
    const pair = makePair(client, world.server({ earlyData, alpnProtocols: ['http/1.1'], bindingOverrides }));
    pair.client.connection.writeEarlyData(ascii('early'));
    pump(pair);
    return pair.server.events.find(({ type }) => type === 'early_data');
  };
  expect(reasonWith({})).toMatchObject({ accepted: false, reason: 'alpn_mismatch' });
  expect(reasonWith({ allowEarlyDataOfOtherApplicationProtocols: true })).toMatchObject({ accepted: true });
});

it('what is neither true nor false is refused, and what there is not', () => {
  const bindingOverrides = { allowSessionsOfOtherServerNames: 'no' } as unknown as BindingOverrides;
  expect(() => testServer('node', 'overrides', { bindingOverrides })).toThrow(UsageError);
  const unknown = { allowEverything: true } as BindingOverrides;
  expect(() => testServer('node', 'overrides', { bindingOverrides: unknown })).toThrow(UsageError);
});
