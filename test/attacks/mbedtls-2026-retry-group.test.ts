/** Mbed TLS (July 2026), "client accepts HelloRetryRequest selecting an unadvertised group". */
import { describe, expect, it } from 'vitest';
import type { ClientOptions } from '../../src/connection/options.js';
import { outcome } from '../support/attack-rig.js';
import {
  makeTls13World,
  pairOf,
  retryingClient,
  retryingServer,
  rogueClient,
  rogueServer,
  type Misbehaviour,
  type Tls13Message,
} from '../support/attack-rig-tls13.js';
import { pump, type Changes } from '../support/connections.js';

type Retry = Extract<Tls13Message, { type: 'hello_retry_request' }>;

const without = <E extends { readonly type: string | number }>(extensions: readonly E[] | undefined, type: E['type']) =>
  (extensions ?? []).filter((extension) => extension.type !== type);

const rewriting = (change: (retry: Retry['body']) => Retry['body']): Misbehaviour => ({
  says: (message) =>
    message.type === 'hello_retry_request' ? [{ ...message, body: change(message.body) }] : [message],
});

const asking = (group: 'x25519' | 'secp256r1' | 'secp384r1' | 'X25519MLKEM768' | number): Misbehaviour =>
  rewriting((body) => ({
    ...body,
    extensions: [...without(body.extensions, 'key_share'), { type: 'key_share', data: group }],
  }));

function retried(misbehaviour: Misbehaviour, client: Changes<ClientOptions> = retryingClient) {
  const world = makeTls13World();
  const victim = rogueClient(world.client(client));
  const pair = pump(pairOf(victim, rogueServer(world.server(retryingServer), misbehaviour)));
  return { outcome: outcome(pair), hellos: victim.said.filter((type) => type === 'client_hello').length };
}

describe('a HelloRetryRequest', () => {
  it.each(['secp384r1', 'X25519MLKEM768', 0x0100, 0x6399, 0x0a0a, 0] as const)(
    'R8446-4.2.8-1 for group %s, which was not offered: illegal_parameter, and no second hello',
    (group) => {
      expect(retried(asking(group))).toEqual({ outcome: 'client: illegal_parameter', hellos: 1 });
    },
  );

  it('R8446-4.2.8-1 for a group of which there was a share already: illegal_parameter', () => {
    expect(retried(asking('secp256r1'))).toEqual({ outcome: 'client: illegal_parameter', hellos: 1 });
  });

  it('P-state-5 that changes nothing: illegal_parameter', () => {
    const nothing = rewriting((body) => ({ ...body, extensions: without(body.extensions, 'key_share') }));
    expect(retried(nothing)).toEqual({ outcome: 'client: illegal_parameter', hellos: 1 });
  });

  it('R8446-4.1.4-3 after a HelloRetryRequest: unexpected_message', () => {
    let first: Tls13Message | undefined;
    const twice: Misbehaviour = {
      says: (message) => {
        if (message.type === 'hello_retry_request') first = message;
        return message.type === 'server_hello' && first !== undefined ? [first] : [message];
      },
    };
    expect(retried(twice)).toEqual({ outcome: 'client: unexpected_message', hellos: 2 });
  });

  it('R8446-4.1.4-6 R8446-4.2.8-2 followed by a ServerHello of another suite, or of another group: illegal_parameter', () => {
    const otherSuite: Misbehaviour = {
      says: (message) =>
        message.type === 'server_hello'
          ? [{ ...message, body: { ...message.body, cipherSuite: 'TLS_AES_256_GCM_SHA384' } }]
          : [message],
    };
    expect(retried(otherSuite).outcome).toBe('client: illegal_parameter');
    const otherGroup: Misbehaviour = {
      says: (message) =>
        message.type === 'server_hello'
          ? [
              {
                ...message,
                body: {
                  ...message.body,
                  extensions: [
                    ...without(message.body.extensions, 'key_share'),
                    { type: 'key_share', data: { group: 'secp256r1', keyExchange: new Uint8Array(65).fill(4) } },
                  ],
                },
              },
            ]
          : [message],
    };
    expect(retried(otherGroup).outcome).toBe('client: illegal_parameter');
  });

  it('R8446-4.2.8-1 that is honest brings a second hello', () => {
    expect(retried({})).toEqual({ outcome: 'full: not_offered', hellos: 2 });
  });
});
