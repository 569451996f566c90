/** X25519MLKEM768 against OpenSSL 3.5: from the hellos of real handshakes to the traffic secrets that it logged. */
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../src/bytes.js';
import { answerWith } from '../../src/crypto/key-share.js';
import { nobleKeyShare } from '../../src/crypto/noble-curves.js';
import { withPostQuantum } from '../../src/crypto/noble-post-quantum.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { Tls13KeySchedule } from '../../src/key-schedule/tls13.js';
import { decodeHandshake } from '../../src/messages/handshake.js';
import { findExtension } from '../../src/messages/index.js';
import { readVectors } from '../support/vectors.js';

const group = 'X25519MLKEM768';

type Case = { readonly role: 'client' | 'server' } & Readonly<
  Record<
    | 'mlKemRandomness'
    | 'x25519PrivateKey'
    | 'clientHello'
    | 'serverHello'
    | 'clientHandshakeTrafficSecret'
    | 'serverHandshakeTrafficSecret',
    string
  >
>;
const { cases } = readVectors('hybrid/x25519mlkem768.json') as { readonly cases: readonly Case[] };

/** What both sides sent as their share. */
function sharesOf({ clientHello, serverHello }: Case): { client: Uint8Array; server: Uint8Array } {
  const client = decodeHandshake('TLSv1.3', fromHex(clientHello));
  const server = decodeHandshake('TLSv1.3', fromHex(serverHello));
  if (client.type !== 'client_hello' || server.type !== 'server_hello') throw new Error('got other messages');
  const offered = findExtension(client.body.extensions, 'key_share')?.find((entry) => entry.group === group);
  const chosen = findExtension(server.body.extensions, 'key_share');
  if (offered === undefined || chosen?.group !== group) throw new Error('got another group');
  return { client: offered.keyExchange, server: chosen.keyExchange };
}

describe.each(cases)('X25519MLKEM768 as the $role, with OpenSSL', (one) => {
  it('sends the same share again, and agrees on the secret that OpenSSL had', async () => {
    const x25519 = nobleKeyShare('x25519', fromHex(one.x25519PrivateKey));
    const crypto = withPostQuantum({
      ...nobleCrypto,
      randomBytes: () => fromHex(one.mlKemRandomness),
      generateKeyShare: () => x25519,
      answerKeyShare: (_, peer) => answerWith(x25519, peer),
    });
    const shares = sharesOf(one);
    let secret: Uint8Array | undefined;
    if (one.role === 'client') {
      const share = await crypto.generateKeyShare(group);
      expect(toHex(share.publicKey)).toBe(toHex(shares.client));
      secret = await share.agree(shares.server);
    } else {
      const answer = await crypto.answerKeyShare(group, shares.client);
      expect(toHex(answer!.publicKey)).toBe(toHex(shares.server));
      secret = answer!.sharedSecret;
    }

    const schedule = new Tls13KeySchedule(nobleCrypto, 'sha256');
    schedule.enterHandshake(secret);
    const hellos = nobleCrypto.hash('sha256', concat(fromHex(one.clientHello), fromHex(one.serverHello)));
    const { client, server } = schedule.handshakeTraffic(hellos);
    expect(toHex(client.secret)).toBe(one.clientHandshakeTrafficSecret);
    expect(toHex(server.secret)).toBe(one.serverHandshakeTrafficSecret);
  });
});

it('both roles are there', () => {
  expect(cases.map(({ role }) => role)).toEqual(['client', 'server']);
});
