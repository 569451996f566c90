/**
 * The TLS 1.3 codecs, deframer, traffic secrets and record protection against what other implementations recorded: every record of every TLS 1.3 capture is
 * opened, every message decoded and encoded again, every Finished and CertificateVerify computed.
 */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ascii, concat, empty, toHex } from '../../src/bytes.js';
import type { PublicKey } from '../../src/crypto/backend.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto, publicKeyOf } from '../../src/crypto/node.js';
import { isSignatureScheme, signatureAlgorithms } from '../../src/handshake/signature-schemes.js';
import { encodeHandshake } from '../../src/messages/handshake.js';
import { findExtension } from '../../src/messages/index.js';
import { captures, keylogSecrets, type CapturedTicket } from '../support/capture.js';
import { replayTls13 } from '../support/replay-tls13.js';
import { tally } from '../support/tally.js';

const tls13 = captures().filter(({ version }) => version === 'TLSv1.3');

describe.each([nobleCrypto, nodeCrypto])('TLS 1.3 captures ($name)', (crypto) => {
  const replays = tls13.map((connection) => ({ ...connection, replay: replayTls13(crypto, connection) }));
  const messages = replays.flatMap(({ origin, replay }) => replay.messages.map((message) => ({ origin, ...message })));

  it('R8446-7.3-1 every record opens, and holds what the other implementation found', () => {
    const total = { connections: 0, records: 0, protected: 0 };
    for (const { origin, replay, contents } of replays) {
      expect(replay.order, origin).toEqual(contents.messages);
      expect(replay.records, origin).toBe(contents.records);
      expect(tally(replay.alerts), origin).toEqual(tally(contents.alerts));
      expect(toHex(replay.data.client), origin).toBe(contents.clientData ?? '');
      expect(toHex(replay.data.server), origin).toBe(contents.serverData ?? '');
      expect(toHex(replay.earlyData), origin).toBe(contents.earlyData ?? '');
      expect(replay.rest, origin).toBe(0);
      total.connections++;
      total.records += replay.records;
      total.protected += replay.protectedRecords;
    }
    expect(total).toEqual({ connections: 66, records: 909, protected: 644 });
  });

  it('decode -> encode gives the same bytes on every message, encrypted ones included', () => {
    for (const { origin, message, bytes } of messages)
      expect(toHex(encodeHandshake('TLSv1.3', message)), `${origin} ${message.type}`).toBe(toHex(bytes));
    expect(
      tally(messages.map(({ message, encrypted }) => `${encrypted ? 'encrypted' : 'plain'} ${message.type}`)),
    ).toEqual({
      'plain client_hello': 70,
      'plain hello_retry_request': 4,
      'plain server_hello': 66,
      'encrypted encrypted_extensions': 66,
      'encrypted certificate_request': 4,
      'encrypted certificate': 39,
      'encrypted certificate_verify': 37,
      'encrypted finished': 132,
      'encrypted end_of_early_data': 7,
      'encrypted new_session_ticket': 96,
      'encrypted key_update': 2,
    });
  });

  it('R8446-4.4.4-1 R8446-4.4.4-2 every Finished is what transcript and traffic secret make it', () => {
    let verified = 0;
    for (const { origin, from, message, expected } of messages) {
      if (message.type !== 'finished') continue;
      expect(toHex(message.body.verifyData), `${origin} ${from}`).toBe(toHex(expected ?? empty));
      verified++;
    }
    expect(verified).toBe(132);
  });

  it('R8446-7.2-1 secrets after a KeyUpdate are those in the key log', () => {
    const updates = replays.filter(({ replay }) => replay.updated.client !== undefined);
    expect(updates.map(({ origin }) => origin)).toEqual(['tls13-key-update[0]']);
    for (const { keylog, replay } of updates) {
      const logged = [...keylogSecrets(keylog)].filter(([label]) => label.includes('TRAFFIC_SECRET_N '));
      expect(logged.map(([, secret]) => toHex(secret))).toEqual(
        [replay.updated.client, replay.updated.server].map((secret) => toHex(secret ?? empty)),
      );
    }
  });

  it('tickets are those of the recording', () => {
    let tickets = 0;
    for (const { origin, replay, contents } of replays) {
      const found = replay.messages.flatMap(({ message }): CapturedTicket[] => {
        if (message.type !== 'new_session_ticket') return [];
        const { ticket, ticketLifetime, ticketAgeAdd, ticketNonce, extensions } = message.body;
        const maxEarlyData = findExtension(extensions, 'early_data');
        return [
          {
            lifetime: ticketLifetime,
            ageAdd: ticketAgeAdd.toString(16).padStart(8, '0'),
            nonce: toHex(ticketNonce),
            length: ticket.length,
            ...(maxEarlyData !== undefined && { maxEarlyData }),
          },
        ];
      });
      const expected = contents.tickets.map(({ lifetime, ageAdd, nonce, length, maxEarlyData }) => ({
        lifetime,
        ageAdd,
        nonce,
        length,
        ...(maxEarlyData !== undefined && { maxEarlyData }),
      }));
      expect(found, origin).toEqual(expected);
      tickets += found.length;
    }
    expect(tickets).toBe(96);
  });

  it('every CertificateVerify verifies under the certificate that was sent', () => {
    const schemes: string[] = [];
    for (const { origin, replay } of replays) {
      let key: PublicKey | undefined;
      for (const { from, message, expected = empty } of replay.messages) {
        if (message.type === 'certificate') key = leafKey(message.body.certificateList[0]?.certData);
        if (message.type !== 'certificate_verify') continue;
        const { algorithm, signature } = message.body;
        if (!isSignatureScheme(algorithm) || key === undefined) throw new Error(`${origin}: ${String(algorithm)}`);
        // RFC 8446 4.4.3.
        const context = ascii(`${' '.repeat(64)}TLS 1.3, ${from} CertificateVerify\0`);
        const signed = concat(context, expected);
        expect(nodeCrypto.verify(signatureAlgorithms[algorithm], key, signed, signature), origin).toBe(true);
        schemes.push(`${from} ${algorithm}`);
      }
    }
    expect(tally(schemes)).toEqual({
      'server ecdsa_secp256r1_sha256': 33,
      'server ed25519': 1,
      'server rsa_pss_rsae_sha256': 1,
      'client ecdsa_secp256r1_sha256': 2,
    });
  });
});

function leafKey(leaf: Uint8Array | undefined): PublicKey | undefined {
  return leaf && publicKeyOf(new X509Certificate(leaf).publicKey);
}
