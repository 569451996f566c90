/**
 * Mbed TLS (July 2026), "Extended master secret calculation failure ignored": where a derivation fails, zeros or the keys of
 * before stay in use. (What happens when the backend throws is in connection/failing-backend.test.ts.)
 */
import { describe, expect, it } from 'vitest';
import { defaultAnswers } from '../../src/connection/answers.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { sessionState } from '../../src/sessions/session-state.js';
import {
  connectSync,
  handshakeItem,
  tls12Kinds,
  makeWorld,
  messageIn,
  outcome,
  pumpThrough,
  tls12SessionOf,
  shameless,
} from '../support/attack-rig.js';
import { eventsOf, makePair, pump } from '../support/connections.js';

const zeros = new Uint8Array(48);

/** A backend whose HMAC gives zeros, as one that ignores its own failures would. */
function givingZeros(crypto: CryptoBackend): CryptoBackend {
  return {
    ...crypto,
    hmac: (hash, key) => {
      const { outputLength, destroy } = crypto.hmac(hash, key);
      return { outputLength, destroy, compute: () => new Uint8Array(outputLength) };
    },
  };
}

describe.each(tls12Kinds)('secrets of zeros (%s)', (kind) => {
  it.each(['client', 'server'] as const)('P-state-2 derived by the %s: internal_error, and no session', (side) => {
    const world = makeWorld(kind);
    const settings = { client: world.client(), server: world.server() };
    const pair =
      side === 'client'
        ? makePair({ ...settings.client, crypto: givingZeros(settings.client.crypto) }, settings.server)
        : makePair(settings.client, { ...settings.server, crypto: givingZeros(settings.server.crypto) });
    expect(outcome(pump(pair))).toBe(`${side}: internal_error`);
    expect(world.store.statistics().entries).toBe(0);
    expect([...eventsOf(pair.client, 'session'), ...eventsOf(pair[side], 'handshake')]).toEqual([]);
  });

  it('P-state-2 in a session that the caller hands to a client: internal_error as soon as it would be used', () => {
    const world = makeWorld(kind);
    const server = world.server();
    const session = { ...tls12SessionOf(connectSync(world.client(), server)), masterSecret: zeros };
    expect(outcome(connectSync(world.client({ session }), server))).toBe('client: internal_error');
  });

  it('P-state-2 in what a server finds: no session, and a full handshake', () => {
    const world = makeWorld(kind);
    const server = world.server();
    const session = tls12SessionOf(connectSync(world.client(), server));
    const state = sessionState.encode({ ...session, masterSecret: zeros });
    if (session.sessionId !== undefined) world.store.set(session.sessionId, state, Infinity);
    const forged = session.ticket === undefined ? session : { ...session, ticket: world.sealer.seal(state) };
    expect(outcome(connectSync(shameless(world.client(), forged), server))).toBe('full: unreadable_state');
  });
});

describe('key agreement', () => {
  it.each([
    ['all zeros', new Uint8Array(32)],
    [
      'a point of order 8',
      Uint8Array.of(
        0xe0,
        0xeb,
        0x7a,
        0x7c,
        0x3b,
        0x41,
        0xb8,
        0xae,
        0x16,
        0x56,
        0xe3,
        0xfa,
        0xf1,
        0x9f,
        0xc4,
        0x6a,
        0xda,
        0x09,
        0x8d,
        0xeb,
        0x9c,
        0x32,
        0xb1,
        0xfd,
        0x86,
        0x62,
        0x05,
        0x16,
        0x5f,
        0x49,
        0xb8,
        0x00,
      ),
    ],
    ['too short', new Uint8Array(31).fill(9)],
  ])('R8446-4.2.8.2-1 a public key of %s is illegal, and gives no secret of zeros', (_title, publicKey) => {
    const world = makeWorld('session_id');
    const pair = makePair(world.client(), world.server());
    pumpThrough(pair, (item) =>
      messageIn(item)?.type === 'client_key_exchange'
        ? [handshakeItem({ type: 'client_key_exchange', body: { public: publicKey } })]
        : [item],
    );
    expect(outcome(pair)).toBe('server: illegal_parameter');
    expect(world.store.statistics().entries).toBe(0);
  });

  it('R5246-8.1-1 the premaster secret is overwritten once the master secret is made, on both sides', () => {
    const world = makeWorld('session_id');
    const premasterSecrets: Uint8Array[] = [];
    const answers = {
      agree: (question: Parameters<typeof defaultAnswers.agree>[0]) => {
        const secret = defaultAnswers.agree(question);
        if (secret instanceof Uint8Array) premasterSecrets.push(secret);
        return secret;
      },
    };
    const pair = pump(makePair(world.client(), world.server(), { client: { answers }, server: { answers } }));
    expect(outcome(pair)).toBe('full: not_offered');
    expect(premasterSecrets.map((secret) => secret.length)).toEqual([32, 32]);
    expect(premasterSecrets.flatMap((secret) => Array.from(secret))).toEqual(new Array(64).fill(0));
  });
});
