/** P-521 and chosen signature schemes with openssl, in both roles and versions: what both ends say of each connection. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialsFromPem } from '../../src/adapters/node/index.js';
import type { SignatureSchemeName } from '../../src/index.js';
import { identities } from '../support/identities.js';
import { describeWithPeer } from '../support/peers.js';
import { SClient, socketOf } from './s-client.js';
import { talk } from './s-server.js';

const versions = [
  ['TLSv1.2', '-tls1_2'],
  ['TLSv1.3', '-tls1_3'],
] as const;

describeWithPeer('openssl', 'groups and signature schemes with openssl', (peer) => {
  let clients: SClient;
  beforeAll(async () => {
    clients = await SClient.start(peer);
  });
  afterAll(() => clients.stop());

  describe.each(versions)('%s', (maxVersion, flag) => {
    it('s_client with P-521 alone, and our server', async () => {
      const server = await clients.serve([identities.rsa], { maxVersion, ecdhCurve: 'P-521' });
      const both = await clients.talk(server, flag, '-groups', 'P-521');
      expect(socketOf(both).handshake).toMatchObject({ version: maxVersion, group: 'secp521r1' });
      expect(both.openssl.output).toContain(' Temp Key: ECDH, secp521r1, 521 bits\n');
    });

    it('our client with P-521 alone, and s_server', async () => {
      const server = await clients.openssl.server('rsa', flag, '-www', '-groups', 'P-521');
      const { socket, received } = await talk(server, { maxVersion, ecdhCurve: 'P-521' });
      expect(socket.handshake).toMatchObject({ version: maxVersion, group: 'secp521r1' });
      expect(socket.getEphemeralKeyInfo()).toEqual({ type: 'ECDH', name: 'secp521r1', size: 521 });
      expect(received.toString()).toContain('Shared groups: secp521r1\n');
    });

    it('a certificate on P-521 of either side', async () => {
      const own = clients.openssl.identity('ecdsa_p521');
      const ecdhCurve = 'X25519:P-521';
      const ours = await clients.serve([own], { maxVersion, ecdhCurve });
      const both = await clients.talk(ours, flag, '-sigalgs', 'ECDSA+SHA512');
      expect(both.openssl.output).toContain('Peer signing digest: SHA512\n');
      expect(both.openssl.output).toContain('Verification: OK');
      const theirs = await clients.openssl.server('ecdsa_p521', flag, '-www');
      const { socket } = await talk(theirs, { maxVersion, ecdhCurve });
      expect(socket.authorized).toBe(true);
      // TLS 1.2 takes any hash with it, and ours prefers SHA-256.
      const scheme = maxVersion === 'TLSv1.2' ? 'ecdsa_secp256r1_sha256' : 'ecdsa_secp521r1_sha512';
      expect(socket.handshake?.peerSignatureScheme).toBe(scheme);
    });

    it('the scheme of a client is known to the server, and chosen by its list', async () => {
      const server = await clients.openssl.server('rsa', flag, '-www', '-Verify', '1', '-CAfile', 'ca.pem');
      const signatureSchemes = ['rsa_pss_rsae_sha512'] as const;
      const credentials = [{ ...credentialsFromPem(identities.rsa), signatureSchemes }];
      const { received } = await talk(server, { maxVersion, credentials });
      expect(received.toString()).toContain('Peer signing digest: SHA512');
      expect(received.toString()).toContain('Peer signature type: RSA-PSS');
    });
  });

  it.each<[SignatureSchemeName, 'ecdsa' | 'rsa', string]>([
    ['ecdsa_sha1', 'ecdsa', 'ECDSA'],
    ['rsa_pkcs1_sha1', 'rsa', 'RSA'],
  ])('%s, for a client of TLS 1.2 that knows nothing else', async (scheme, kind, name) => {
    const credentials = [{ ...credentialsFromPem(identities[kind]), signatureSchemes: [scheme] }];
    const server = await clients.serve([], { cert: [], key: [], credentials });
    const sha1 = ['-tls1_2', '-sigalgs', `${name}+SHA1`, '-cipher', 'DEFAULT@SECLEVEL=0'];
    const both = await clients.talk(server, ...sha1);
    expect(both.openssl.output).toContain('Peer signing digest: SHA1\n');
    expect(socketOf(both).handshake).toMatchObject({ version: 'TLSv1.2', mode: 'full' });
    const refusing = await clients.serve([identities[kind]]);
    expect((await clients.talk(refusing, ...sha1)).ours).toMatchObject({ alert: 'handshake_failure' });
  });
});
