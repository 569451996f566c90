/**
 * NURL pull request 1057: a client that said how it uses PSKs only where it offered one got no ticket, and so never had one to offer:
 * servers that follow RFC 8446 4.2.9 give none to clients that have not said so.
 */
import { describe, expect, it } from 'vitest';
import type { ClientOptions } from '../../src/connection/options.js';
import { findExtension, type ClientHello } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { outcome } from '../support/attack-rig.js';
import {
  between,
  changingHello,
  makeTls13World,
  pairOf,
  rogueClient,
  rogueServer,
} from '../support/attack-rig-tls13.js';
import { eventsOf, pump, type Changes } from '../support/connections.js';
import { helloOf } from '../support/tls13-rules.js';

const modesOf = ({ extensions }: ClientHello) => findExtension(extensions, 'psk_key_exchange_modes');

describe('the first ClientHello of a client', () => {
  it.each<[string, Changes<ClientOptions>]>([
    ['nothing but defaults', {}],
    ['a store that is empty', { sessions: new MemoryStore({ now: () => 0 }) }],
    ['TLS 1.2 as well', { minVersion: 'TLSv1.2' }],
    ['no early data, no tickets asked for', { earlyData: false, ticketRequest: undefined }],
  ])('R8446-4.2.9-1 says how it uses PSKs, and offers none: %s', (_title, options) => {
    const hello = helloOf(makeTls13World().client(options));
    expect(modesOf(hello)).toEqual(['psk_dhe_ke']);
    expect(findExtension(hello.extensions, 'pre_shared_key')).toBeUndefined();
  });

  it('says the modes that it is configured with', () => {
    const pskKeyExchangeModes = ['psk_ke', 'psk_dhe_ke'] as const;
    expect(modesOf(helloOf(makeTls13World().client({ pskKeyExchangeModes })))).toEqual(['psk_ke', 'psk_dhe_ke']);
  });
});

describe('a server that follows the rule', () => {
  it('R8446-4.2.9-1 gives such a client tickets, and they resume', () => {
    const world = makeTls13World();
    const sessions = new MemoryStore({ now: world.now });
    const visits = [0, 1, 2].map(() => between(world.client({ sessions }), world.server()));
    expect(visits.map((pair) => [outcome(pair), eventsOf(pair.client, 'session').length])).toEqual([
      ['full: not_offered', 1],
      ['psk', 1],
      ['psk', 1],
    ]);
  });

  it.each([
    ['no mode at all', undefined],
    ['one that the server does not use', ['psk_ke'] as const],
  ])('R8446-4.2.9-1 gives none to who says %s', (_title, modes) => {
    const world = makeTls13World();
    const silent = changingHello(0, (body) => {
      const others = (body.extensions ?? []).filter(({ type }) => type !== 'psk_key_exchange_modes');
      if (modes === undefined) return { ...body, extensions: others };
      return { ...body, extensions: [...others, { type: 'psk_key_exchange_modes', data: [...modes] }] };
    });
    const server = rogueServer(world.server());
    const pair = pump(pairOf(rogueClient(world.client(), silent), server));
    expect(outcome(pair)).toBe('full: not_offered');
    expect(server.said).not.toContain('new_session_ticket');
    expect(eventsOf(pair.client, 'session')).toEqual([]);
  });
});
