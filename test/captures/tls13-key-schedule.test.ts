/**
 * The key schedule of TLS 1.3 against what other implementations recorded: the binder of every PSK that is known, the early
 * secrets of every 0-RTT flight, and all secrets of psk_ke, where nothing but the PSK goes in.
 */
import { describe, expect, it } from 'vitest';
import { empty, join, toHex } from '../../src/bytes.js';
import type { HashAlgorithm } from '../../src/crypto/backend.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { resumptionPsk, Tls13KeySchedule } from '../../src/key-schedule/tls13.js';
import { truncateClientHello } from '../../src/messages/extensions/pre-shared-key.js';
import { findExtension, type ClientHello } from '../../src/messages/index.js';
import { captures, keylogSecrets } from '../support/capture.js';
import { tally } from '../support/tally.js';
import { pskOf } from '../support/captured-psk.js';
import { replayTls13, type ReplayedTls13Message } from '../support/replay-tls13.js';

describe.each([nobleCrypto, nodeCrypto])('the PSKs of TLS 1.3 captures ($name)', (crypto) => {
  const connections = captures()
    .filter(({ version }) => version === 'TLSv1.3')
    .map((connection) => ({ ...connection, psk: pskOf(crypto, connection), ...replayTls13(crypto, connection) }));
  const hash = (algorithm: HashAlgorithm, ...messages: Uint8Array[]) => crypto.hash(algorithm, join(messages));

  it('R8446-4.2.11.2-1 R8446-4.2.11.2-2 R8446-4.2.11.2-3 R8446-4.6.1-10 every binder is what its PSK makes it', () => {
    const verified: string[] = [];
    const unknown: string[] = [];
    for (const { origin, psk, messages } of connections) {
      for (const { message, bytes, before } of messages) {
        if (message.type !== 'client_hello') continue;
        const offered = findExtension(message.body.extensions, 'pre_shared_key');
        if (offered === undefined) continue;
        if (psk === undefined) {
          unknown.push(origin);
          continue;
        }
        expect(offered.binders, origin).toHaveLength(1);
        const schedule = new Tls13KeySchedule(crypto, psk.hash, psk.key);
        const truncated = truncateClientHello(bytes, offered.binders);
        const binder = schedule.binder(psk.kind, hash(psk.hash, before, truncated));
        expect(toHex(binder), origin).toBe(toHex(offered.binders[0] ?? empty));
        verified.push(`${psk.kind} ${psk.hash}${before.length > 0 ? ' after HelloRetryRequest' : ''}`);
      }
    }
    // Whose key the peers kept to themselves.
    expect(unknown).toEqual(['gnutls-tls13-0rtt[1]', 'gnutls-tls13-psk[1]', 'nss-client-tls13-psk[1]']);
    expect(tally(verified)).toEqual({
      'resumption sha256': 23,
      'resumption sha384': 7,
      'resumption sha256 after HelloRetryRequest': 3,
      'external sha256': 2,
    });
  });

  it('R8446-7.1-4 early secrets are those in the key logs', () => {
    const found: string[] = [];
    for (const { origin, psk, messages, keylog } of connections) {
      for (const [label, secret] of keylogSecrets(keylog)) {
        if (psk === undefined || !/^(CLIENT_EARLY|EARLY_EXPORTER)/.test(label)) continue;
        const schedule = new Tls13KeySchedule(crypto, psk.hash, psk.key);
        const clientHelloHash = hash(psk.hash, messages[0]?.bytes ?? empty);
        const derived = label.startsWith('CLIENT')
          ? schedule.clientEarlyTraffic(clientHelloHash).secret
          : schedule.earlyExporter(clientHelloHash);
        expect(toHex(derived), `${origin} ${label}`).toBe(toHex(secret));
        found.push(label.replace(/ .*/, ` ${psk.hash}`));
      }
    }
    expect(tally(found)).toEqual({
      'CLIENT_EARLY_TRAFFIC_SECRET sha256': 9,
      'CLIENT_EARLY_TRAFFIC_SECRET sha384': 2,
      'EARLY_EXPORTER_SECRET sha256': 9,
      'EARLY_EXPORTER_SECRET sha384': 2,
    });
  });

  it('R8446-7.1-2 R8446-7.1-3 R8446-7.1-5 psk_ke: all secrets come from the PSK and zeros', () => {
    const found: string[] = [];
    for (const { origin, psk, messages, keylog, sessionPsk } of connections) {
      const serverHello = messages.find(({ message }) => message.type === 'server_hello');
      if (psk === undefined || serverHello?.message.type !== 'server_hello') continue;
      const { extensions } = serverHello.message.body;
      if (findExtension(extensions, 'pre_shared_key') === undefined) continue;
      if (findExtension(extensions, 'key_share') !== undefined) continue;
      found.push(origin);

      const logged = keylogSecrets(keylog);
      const { random } = requireClientHello(messages[0]);
      const check = (label: string, secret: Uint8Array) =>
        expect(toHex(secret), `${origin} ${label}`).toBe(toHex(logged.get(`${label} ${toHex(random)}`) ?? empty));
      const upTo = (from: string, type: string) => {
        const last = messages.find((item) => item.from === from && item.message.type === type);
        return hash(psk.hash, last?.before ?? empty, last?.bytes ?? empty);
      };
      const schedule = new Tls13KeySchedule(crypto, psk.hash, psk.key);
      schedule.enterHandshake(undefined);
      const handshake = schedule.handshakeTraffic(upTo('server', 'server_hello'));
      check('CLIENT_HANDSHAKE_TRAFFIC_SECRET', handshake.client.secret);
      check('SERVER_HANDSHAKE_TRAFFIC_SECRET', handshake.server.secret);
      schedule.enterMaster();
      const application = schedule.applicationTraffic(upTo('server', 'finished'));
      check('CLIENT_TRAFFIC_SECRET_0', application.client.secret);
      check('SERVER_TRAFFIC_SECRET_0', application.server.secret);
      check('EXPORTER_SECRET', schedule.exporter(upTo('server', 'finished')));

      // R8446-4.6.1-10: the client keeps the last ticket.
      const ticket = messages.filter(({ message }) => message.type === 'new_session_ticket').at(-1)?.message;
      if (sessionPsk === undefined || ticket?.type !== 'new_session_ticket') continue;
      const secret = schedule.resumption(upTo('client', 'finished'));
      const key = resumptionPsk(crypto, psk.hash, secret, ticket.body.ticketNonce);
      expect(toHex(key), origin).toBe(toHex(sessionPsk));
      found.push(`${origin} ticket`);
    }
    expect(found).toEqual(['gnutls-tls13-external-psk-ke[0]', 'tls13-psk-ke[1]', 'tls13-psk-ke[1] ticket']);
  });
});

function requireClientHello(item: ReplayedTls13Message | undefined): ClientHello {
  if (item?.message.type !== 'client_hello') throw new Error('a connection that does not begin with a ClientHello');
  return item.message.body;
}
