/** `openssl s_client` resumes with our server, by session ID and by ticket, and both say so. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../src/adapters/node/index.js';
import { toHex } from '../../src/bytes.js';
import { generateTicketKey, KeyRing } from '../../src/tickets/index.js';
import type { EchoServer } from '../support/echo-server.js';
import { identities } from '../support/identities.js';
import { opensslView, opensslViews, printedTicketKey } from '../support/openssl.js';
import { describeWithPeer } from '../support/peers.js';
import { expectFull, expectResumed, SClient } from './s-client.js';

describeWithPeer('openssl', 'openssl s_client resumes with our server', (peer) => {
  let clients: SClient;
  const ring = newRing();
  /** ECDSA and RSA, tickets. */
  let server: EchoServer;

  beforeAll(async () => {
    clients = await SClient.start(peer);
    server = await clients.serve([identities.ecdsa, identities.rsa], { ticketKeys: ring });
  });
  afterAll(() => clients.stop());

  describe('session IDs', () => {
    it('resumes, again and again', async () => {
      const first = await clients.talk(server, '-no_ticket', '-sess_out', 'id.session');
      expectFull(first);
      const { sessionId } = opensslView(first.openssl.output);
      expect(sessionId).toMatch(/^[0-9a-f]{64}$/);
      for (let i = 0; i < 2; i++) {
        const again = await clients.talk(server, '-no_ticket', '-sess_in', 'id.session');
        expectResumed(again, 'session_id', first);
        expect(opensslView(again.openssl.output).sessionId).toBe(sessionId);
      }
    });

    it.each([
      ['session_id', ['-no_ticket']],
      ['ticket', []],
    ])('R5246-7.2.1-1 resumes by %s what ended without close_notify, five times over', async (mode, extra) => {
      const own = await clients.serve([identities.ecdsa]);
      const { output } = await clients.openssl.client(own.port, 'hello\n', '-reconnect', ...extra);
      expect(opensslViews(output).map(({ reused }) => reused)).toEqual([false, true, true, true, true, true]);
      expect(new Set(opensslViews(output).map(({ masterSecret }) => masterSecret)).size).toBe(1);
      const hits = { session_id: 0, ticket: 0, [mode]: 5 };
      await expect.poll(() => own.server.counters).toMatchObject({ full: 1, misses: 0, hits });
    });

    it('of another server: full handshake', async () => {
      await clients.talk(await clients.serve([identities.ecdsa]), '-no_ticket', '-sess_out', 'strange.session');
      const second = await clients.talk(server, '-no_ticket', '-sess_in', 'strange.session');
      expectFull(second, 'unknown_session_id');
    });
  });

  describe('tickets', () => {
    it('under a key that has since been rotated: resumed and renewed, and the new ticket resumes again and again', async () => {
      const keys = newRing();
      const own = await clients.serve([identities.ecdsa], { ticketKeys: keys });
      const first = await clients.talk(own, '-sess_out', 'old.session');
      expectFull(first);
      expect(printedTicketKey(first.openssl.output)).toBe(sealingName(keys));
      keys.rotate(generateTicketKey(nodeCrypto));

      // s_client writes no file for a renewed ticket, but it keeps it for its reconnections.
      const { output } = await clients.openssl.client(own.port, 'hello\n', '-sess_in', 'old.session', '-reconnect');
      const { masterSecret } = opensslView(first.openssl.output);
      expect(opensslViews(output)).toMatchObject(Array(6).fill({ reused: true, masterSecret }));
      expect(printedTicketKey(output)).toBe(sealingName(keys));
      const hits = { session_id: 0, ticket: 6 };
      await expect.poll(() => own.server.counters).toMatchObject({ full: 1, misses: 0, renewed: 1, hits });
      expect(keys.status()).toMatchObject([
        { state: 'retired', sealed: 1, opened: 1, renewed: 1 },
        { state: 'active', sealed: 1, opened: 5, renewed: 0 },
      ]);
    });

    it.each([
      ['unknown_key_name', () => newRing()],
      ['bad_mac', (old: KeyRing) => newRing(old.status()[0]!.name)],
    ])('that does not open, %s: full handshake, new ticket', async (reason, nextRing) => {
      const keys = newRing();
      const own = await clients.serve([identities.ecdsa], { ticketKeys: keys });
      const first = await clients.talk(own, '-sess_out', `${reason}.session`);
      own.server.setTicketKeys(nextRing(keys));
      const second = await clients.talk(own, '-sess_in', `${reason}.session`, '-sess_out', `${reason}.session`);
      expectFull(second, reason);
      expect(opensslView(second.openssl.output).masterSecret).not.toBe(opensslView(first.openssl.output).masterSecret);
      expectResumed(await clients.talk(own, '-sess_in', `${reason}.session`), 'ticket', second);
    });

    it('crosses between servers that share the ring, and to no other', async () => {
      const first = await clients.talk(server, '-sess_out', 'fleet.session');
      const sibling = await clients.serve([identities.ecdsa, identities.rsa], { ticketKeys: ring });
      expectResumed(await clients.talk(sibling, '-sess_in', 'fleet.session'), 'ticket', first);
      const stranger = await clients.serve([identities.ecdsa], { ticketKeys: ring, sessionIdContext: 'another' });
      expectFull(await clients.talk(stranger, '-sess_in', 'fleet.session'), 'context_mismatch');
    });

    it('R6066-3-4 resumes for no other server name', async () => {
      await clients.talk(server, '-sess_out', 'name.session');
      const other = ['-servername', 'other.test', '-sess_in', 'name.session'];
      expectFull(await clients.talk(server, ...other), 'server_name_mismatch');
    });
  });
});

/** With one key, of this name if one is given. */
function newRing(name?: Uint8Array): KeyRing {
  const key = generateTicketKey(nodeCrypto);
  return new KeyRing({ crypto: nodeCrypto, now: Date.now, keys: [{ ...key, ...(name && { name }) }] });
}

function sealingName(keys: KeyRing): string {
  return toHex(keys.status().find(({ seals }) => seals)!.name);
}
