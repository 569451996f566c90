/**
 * Rules that this library keeps by leaving something out, or that it leaves to its user: what is here is that nothing of it
 * happens by accident.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { handshakeMessages } from '../../src/messages/index.js';
import { contentTypes } from '../../src/parameters.js';
import { KeyRing } from '../../src/tickets/key-ring.js';
import { generateTicketKey } from '../../src/tickets/ticket-key.js';
import {
  clearItems,
  connectSync,
  makeWorld,
  messageIn,
  offer,
  outcome,
  pumpThrough,
  rewritingClientHello,
  sessionOf,
  shameless,
} from '../support/attack-rig.js';
import { hour, makePair, serverName, theEvent } from '../support/connections.js';
import { repositoryFolder } from '../support/package.js';

const helloRequest = { type: 'hello_request', body: {} } as const;

describe('renegotiation', () => {
  it('R5746-3.5-1 R5746-3.5-2 R5746-5-1 a client that is asked to renegotiate sends no second ClientHello', () => {
    const world = makeWorld('ticket');
    const pair = makePair(world.client(), world.server());
    // The request comes in mid-handshake, in the clear, where it is ignored: the handshake that follows is the only one.
    const asked = pumpThrough(pair, (item) =>
      item.from === 'server'
        ? [{ contentType: contentTypes.handshake, bytes: handshakeMessages['TLSv1.2'].encode(helloRequest) }, item]
        : [item],
    );
    expect(clearItems(asked, 'client').filter((item) => messageIn(item)?.type === 'client_hello')).toHaveLength(1);
    expect(outcome(asked)).toBe('full: not_offered');
  });

  it('R5746-3.7-1 R5746-3.7-2 a ClientHello with saved verify_data is refused: nothing was saved', () => {
    const world = makeWorld('ticket');
    const renegotiating = rewritingClientHello((hello) => ({
      ...hello,
      extensions: (hello.extensions ?? []).map((extension) =>
        extension.type === 'renegotiation_info'
          ? { type: extension.type, data: new Uint8Array(12).fill(7) }
          : extension,
      ),
    }));
    const pair = pumpThrough(makePair(world.client(), world.server()), renegotiating);
    expect(outcome(pair)).toBe('server: handshake_failure');
  });
});

describe('extensions of RFC 6066', () => {
  it('R6066-4-1 max_fragment_length is neither offered nor answered, so no session is bound to one', () => {
    const world = makeWorld('ticket');
    const asking = rewritingClientHello((hello) => ({
      ...hello,
      extensions: [...(hello.extensions ?? []), { type: 'max_fragment_length', data: '2^9' }],
    }));
    const pair = makePair(world.client(), world.server());
    pumpThrough(pair, asking);
    const [answer] = clearItems(pair, 'server').map(messageIn);
    if (answer?.type !== 'server_hello') throw new Error('expected a ServerHello');
    expect((answer.body.extensions ?? []).map(({ type }) => type)).not.toContain('max_fragment_length');
    const [hello] = clearItems(connectSync(world.client(), world.server()), 'client').map(messageIn);
    if (hello?.type !== 'client_hello') throw new Error('expected a ClientHello');
    expect((hello.body.extensions ?? []).map(({ type }) => type)).not.toContain('max_fragment_length');
  });

  it('R6066-11.1-1 an application can compare the TLS name with its own protocol: full and resumed say it', () => {
    const world = makeWorld('ticket');
    const server = world.server();
    const full = connectSync(world.client(), server);
    const resumed = connectSync(world.client({ session: sessionOf(full) }), server);
    for (const pair of [full, resumed]) expect(theEvent(pair.server, 'handshake').serverName).toBe(serverName);
    expect(outcome(resumed)).toBe('ticket');
  });
});

describe('tickets', () => {
  it('R5077-3.3-9 are honoured for a longer or shorter time than the hint says', () => {
    const world = makeWorld('ticket');
    const server = world.server({ ticketLifetimeHint: 60 });
    const first = connectSync(world.client(), server);
    world.clock.time += hour;
    expect(outcome(connectSync(world.client({ session: sessionOf(first) }), server))).toBe('full: not_offered');
    const session = { ...sessionOf(first), ticketLifetimeHint: 0 };
    expect(outcome(connectSync(world.client({ session }), server))).toBe('ticket');
    const strict = world.server({ ticketLifetimeHint: 7200, maximumSessionAge: hour / 2 });
    expect(outcome(offer(first, world.client(), strict))).toBe('full: too_old');
  });

  it('R5077-5.5-2 keys are 256 bits strong by default, 128 at the least', () => {
    const key = generateTicketKey(nodeCrypto);
    expect([key.aesKey.length, key.hmacKey.length]).toEqual([32, 32]);
    const ring = new KeyRing({ crypto: nodeCrypto, now: () => 0 });
    const weak = { ...key, aesKey: key.aesKey.slice(0, 15) };
    expect(() => {
      ring.add(weak);
    }).toThrow(expect.objectContaining({ code: 'invalid_key' }) as Error);
  });

  it('R5077-5.5-3 keys serve tickets and nothing else: a ring gives no key bytes away', () => {
    const key = generateTicketKey(nodeCrypto);
    const ring = new KeyRing({ crypto: nodeCrypto, now: () => 0, keys: [key] });
    const seen = inspect([ring, ring.status()], { depth: 9, showHidden: true, maxArrayLength: null });
    const shown = JSON.stringify(ring.status()) + seen.replace(/[\s,]+/g, '');
    for (const secret of [key.aesKey, key.hmacKey]) {
      expect(shown).not.toContain(toHex(secret));
      expect(shown).not.toContain(secret.join(''));
    }
  });

  it('R5077-5.5-4 state of another format under the same key is no session', () => {
    const world = makeWorld('ticket');
    const server = world.server();
    const first = sessionOf(connectSync(world.client(), server));
    const state = world.sealer.open(first.ticket ?? new Uint8Array()).state?.slice() ?? new Uint8Array(1);
    state[0] = 0xee; // the format byte
    const other = { ...first, ticket: world.sealer.seal(state) };
    expect(outcome(connectSync(shameless(world.client(), other), server))).toBe('full: unreadable_state');
  });
});

describe('storage', () => {
  it('R5246-F.1.4-3 nothing in the library writes sessions to a file, but the store that is made for it', () => {
    const sources = readdirSync(join(repositoryFolder, 'src'), { recursive: true, encoding: 'utf8' });
    const writers = sources
      .filter((path) => path.endsWith('.ts') && !path.startsWith('cli'))
      // The one reads ticket keys, and opens nothing to write; the other refuses a folder that is not its owner's alone.
      .filter(
        (path) => ![join('adapters', 'node', 'key-file.ts'), join('adapters', 'node', 'file-store.ts')].includes(path),
      )
      .filter((path) =>
        /['"](?:node:)?fs(?:\/promises)?['"]/.test(readFileSync(join(repositoryFolder, 'src', path), 'utf8')),
      );
    expect(sources.length).toBeGreaterThan(50);
    expect(writers).toEqual([]);
  });
});
