/** RFC 9001 appendix A: what is made of secrets, and the sample packets opened with it. */
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/bytes.js';
import { quicInitialSecrets, quicNextSecret, quicPacketKeys } from '../../src/key-schedule/quic.js';
import type { tls13Suites } from '../../src/key-schedule/suites.js';
import { cryptoFrame, headerProtectionMask, openPacket } from '../support/quic-packets.js';
import { readVectors } from '../support/vectors.js';
import { backends } from '../tickets/backends.js';

interface Keys {
  readonly secret: string;
  readonly key: string;
  readonly iv: string;
  readonly hp: string;
}

interface Packet {
  readonly unprotectedHeader: string;
  readonly packetNumber: number;
  readonly packet: string;
}

interface Vectors {
  readonly destinationConnectionId: string;
  readonly client: Keys;
  readonly server: Keys;
  readonly clientInitial: Packet & { readonly sample: string; readonly mask: string; readonly clientHello: string };
  readonly serverInitial: Packet & { readonly sample: string; readonly mask: string; readonly serverHello: string };
  readonly chachaShortHeader: Packet & Keys & { readonly ku: string; readonly plaintext: string };
}

const vectors = readVectors('rfc9001/quic-rfc9001.json') as Vectors;
const initialSuite = 'TLS_AES_128_GCM_SHA256';
const chacha = 'TLS_CHACHA20_POLY1305_SHA256';

describe.each(backends)('RFC 9001 appendix A with backend $name', (crypto) => {
  const keysOf = (suite: keyof typeof tls13Suites, secret: string) => {
    const { key, iv, headerProtection } = quicPacketKeys(crypto, suite, fromHex(secret));
    return { secret, key: toHex(key), iv: toHex(iv), hp: toHex(headerProtection) };
  };

  it('A.1: Initial secrets and the keys of both sides', () => {
    const { client, server } = quicInitialSecrets(crypto, fromHex(vectors.destinationConnectionId));
    expect(keysOf(initialSuite, toHex(client))).toEqual(vectors.client);
    expect(keysOf(initialSuite, toHex(server))).toEqual(vectors.server);
  });

  it.each(['clientInitial', 'serverInitial'] as const)('A.2 and A.3: %s opens, and holds its hello', (name) => {
    const { client, server } = quicInitialSecrets(crypto, fromHex(vectors.destinationConnectionId));
    const keys = quicPacketKeys(crypto, initialSuite, name === 'clientInitial' ? client : server);
    const { unprotectedHeader, packetNumber, packet, sample, mask } = vectors[name];
    expect(toHex(headerProtectionMask(initialSuite, keys.headerProtection, fromHex(sample)))).toBe(mask);
    const header = fromHex(unprotectedHeader);
    const offset = header.length - ((header[0]! & 3) + 1);
    const opened = openPacket(crypto, initialSuite, keys, fromHex(packet), offset, packetNumber);
    expect(toHex(opened.header)).toBe(unprotectedHeader);
    const hello = name === 'clientInitial' ? vectors.clientInitial.clientHello : vectors.serverInitial.serverHello;
    expect(toHex(cryptoFrame(opened.payload!))).toBe(hello);
  });

  it('A.5: keys of ChaCha20-Poly1305, the packet, and the secret after a key update', () => {
    const { secret, key, iv, hp, ku, unprotectedHeader, packetNumber, packet, plaintext } = vectors.chachaShortHeader;
    expect(keysOf(chacha, secret)).toEqual({ secret, key, iv, hp });
    const keys = quicPacketKeys(crypto, chacha, fromHex(secret));
    const opened = openPacket(crypto, chacha, keys, fromHex(packet), 1, packetNumber);
    expect([toHex(opened.header), toHex(opened.payload!)]).toEqual([unprotectedHeader, plaintext]);
    expect(toHex(quicNextSecret(crypto, chacha, fromHex(secret)))).toBe(ku);
  });

  it('keys are as long as the suite wants them, and the secret stays', () => {
    const secret = crypto.hash('sha384', fromHex('01'));
    const before = toHex(secret);
    const { key, iv, headerProtection } = quicPacketKeys(crypto, 'TLS_AES_256_GCM_SHA384', secret);
    const next = quicNextSecret(crypto, 'TLS_AES_256_GCM_SHA384', secret);
    expect([key.length, iv.length, headerProtection.length, next.length]).toEqual([32, 12, 32, 48]);
    expect([toHex(secret), toHex(next) === before]).toEqual([before, false]);
  });
});
