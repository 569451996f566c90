/**
 * GnuTLS until 3.5 did not enforce RFC 7627's rules of resumption. The whole matrix of 5.3: whether the session has the extended
 * master secret, whether the hello has the extension, whether the answer has it.
 */
import { describe, expect, it } from 'vitest';
import { sessionState } from '../../src/sessions/session-state.js';
import type { Tls12Session } from '../../src/sessions/session.js';
import {
  clearItems,
  connectSync,
  tls12Kinds,
  makeWorld,
  messageIn,
  outcome,
  pumpThrough,
  rewritingClientHello,
  rewritingServerHello,
  serverFlight,
  tls12SessionOf,
  shameless,
  without,
  type Tls12Kind,
  type World,
} from '../support/attack-rig.js';
import { makePair, theEvent } from '../support/connections.js';

const dropFromHello = rewritingClientHello((hello) => ({
  ...hello,
  extensions: without(hello.extensions, 'extended_master_secret'),
}));
const dropFromAnswer = rewritingServerHello((hello) => ({
  ...hello,
  extensions: without(hello.extensions, 'extended_master_secret'),
}));

/** A session of this server, made with or without the extension; the client is none the wiser. */
function sessionMade(world: World, kind: Tls12Kind, extendedMasterSecret: boolean): Tls12Session {
  const session = tls12SessionOf(connectSync(world.client(), world.server()));
  if (kind === 'ticket') {
    const opened = world.sealer.open(session.ticket ?? new Uint8Array(0));
    const state = opened.state && sessionState.decode(opened.state.slice());
    if (state?.version !== 'TLSv1.2') throw new Error('the ticket is ours');
    return { ...session, ticket: world.sealer.seal(sessionState.encode({ ...state, extendedMasterSecret })) };
  }
  const { sessionId = new Uint8Array(0) } = session;
  const state = sessionState.decode(world.store.get(sessionId) ?? new Uint8Array(0));
  if (state?.version !== 'TLSv1.2') throw new Error('the entry is ours');
  world.store.set(sessionId, sessionState.encode({ ...state, extendedMasterSecret }), Infinity);
  return session;
}

const switchedOn = { allowMissingExtendedMasterSecret: true, allowResumptionWithoutExtendedMasterSecret: true };

describe.each(tls12Kinds)('the server (%s)', (kind) => {
  const abbreviated = ['server_hello', 'change_cipher_spec'];
  const full = ['server_hello', 'certificate', 'server_key_exchange', 'server_hello_done'];

  it.each([
    { id: 'R7627-5.3-6', session: true, hello: true, options: {}, answer: abbreviated },
    { id: 'R7627-5.3-3', session: false, hello: true, options: {}, answer: full },
    { id: 'R7627-5.3-3 legacy resumption on', session: false, hello: true, options: switchedOn, answer: full },
    { id: 'R7627-5.3-4', session: true, hello: false, options: {}, answer: ['alert'] },
    { id: 'R7627-5.3-4 legacy resumption on', session: true, hello: false, options: switchedOn, answer: ['alert'] },
    { id: 'R7627-5.3-5', session: false, hello: false, options: {}, answer: ['alert'] },
    { id: 'R7627-5.3-5 legacy resumption on', session: false, hello: false, options: switchedOn, answer: abbreviated },
  ])('$id session $session, hello $hello: $answer', ({ session, hello, options, answer }) => {
    const world = makeWorld(kind);
    const offered = shameless(world.client(), sessionMade(world, kind, session));
    const pair = makePair(offered, world.server(options));
    pumpThrough(pair, hello ? (item) => [item] : dropFromHello);
    // What our client makes of it is the other half of the matrix; here only the server's first answer counts.
    expect(serverFlight(pair).slice(0, answer.length)).toEqual(answer);
    const [first] = clearItems(pair, 'server').map(messageIn);
    if (first?.type === 'server_hello')
      expect(first.body.extensions?.some(({ type }) => type === 'extended_master_secret')).toBe(hello);
    if (answer.includes('alert'))
      expect(outcome({ ...pair, client: { ...pair.client, events: [] } })).toBe('server: handshake_failure');
  });
});

describe.each(tls12Kinds)('the client (%s)', (kind) => {
  it('R7627-5.2-1 R7627-5.3-2 sends the extension in every hello, resumptions included', () => {
    const world = makeWorld(kind);
    const server = world.server();
    const first = connectSync(world.client(), server);
    const second = connectSync(world.client({ session: tls12SessionOf(first) }), server);
    expect(outcome(second)).toBe(kind);
    for (const pair of [first, second]) {
      const [hello] = clearItems(pair, 'client').map(messageIn);
      expect(
        hello?.type === 'client_hello' && hello.body.extensions?.some(({ type }) => type === 'extended_master_secret'),
      ).toBe(true);
    }
  });

  it('R7627-5.3-1 R7627-5.3-7 does not offer a session without, unless that is switched on', () => {
    const world = makeWorld(kind);
    const session = { ...tls12SessionOf(connectSync(world.client(), world.server())), extendedMasterSecret: false };
    for (const options of [{}, { allowMissingExtendedMasterSecret: true }]) {
      const pair = connectSync(world.client({ ...options, session }), world.server());
      expect([outcome(pair), theEvent(pair.client, 'handshake').reason]).toEqual(['full: not_offered', 'not_offered']);
    }
    const legacy = sessionMade(world, kind, false);
    const offering = world.client({ ...switchedOn, session: { ...legacy, extendedMasterSecret: false } });
    // The hello has the extension all the same, and a server that knows it does not resume (5.3).
    expect(outcome(connectSync(offering, world.server(switchedOn)))).toBe(
      'full: session_without_extended_master_secret',
    );
  });

  it('RFC 7627 5.3: session without, resumed answer with: aborts', () => {
    const world = makeWorld(kind);
    const session = { ...tls12SessionOf(connectSync(world.client(), world.server())), extendedMasterSecret: false };
    const pair = connectSync(world.client({ ...switchedOn, session }), world.server());
    expect(outcome(pair)).toBe('client: handshake_failure');
  });

  it.each([{}, switchedOn])('R7627-5.3-8 session with, resumed answer without: aborts (%o)', (options) => {
    const world = makeWorld(kind);
    const session = tls12SessionOf(connectSync(world.client(), world.server()));
    const pair = makePair(world.client({ ...options, session }), world.server());
    expect(outcome(pumpThrough(pair, dropFromAnswer))).toBe('client: handshake_failure');
  });

  it('R7627-5.2-4 full handshake, answer without: aborts', () => {
    const world = makeWorld(kind);
    const pair = makePair(world.client(), world.server());
    expect(outcome(pumpThrough(pair, dropFromAnswer))).toBe('client: handshake_failure');
  });
});
