/** How a client chooses what to show to a server that asks for a certificate (RFC 5246 7.4.4 and 7.4.6, RFC 8446 4.3.2 and 4.4.2). */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { CertificateRequestInfo } from '../../src/handshake/settings.js';
import {
  connect,
  eventsOf,
  testClient,
  testServer,
  theEvent,
  type Changes,
  type DriverName,
} from '../support/connections.js';
import { clientCredentials, ecdsaP384, ed25519Credentials, rsaCredentials } from '../support/credentials.js';

const authorities = [ascii('authority one'), ascii('authority two')];
const asking = { clientAuthentication: 'request', certificateAuthorities: authorities } as const;

describe.each(['noble', 'node'] as const)('with %s', (backend) => {
  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
    const only = { minVersion: version, maxVersion: version };
    const meet = (
      client: Changes<ClientOptions>,
      server: Changes<ServerOptions> = asking,
      driver: DriverName = 'sync',
    ) =>
      connect(
        testClient(backend, 'choice', { ...only, ...client }),
        testServer(backend, 'choice', { ...only, ...server }),
        { driver },
      );

    it('is told what the server says', async () => {
      const told: CertificateRequestInfo[] = [];
      const chooseCredentials = (request: CertificateRequestInfo) => {
        told.push(request);
        return [clientCredentials];
      };
      const { server } = await meet(
        { chooseCredentials },
        { ...asking, signatureSchemes: ['ed25519', 'ecdsa_secp256r1_sha256'] },
      );
      expect(theEvent(server, 'handshake').peerCertificates).toEqual(clientCredentials.certificates);
      expect(told).toEqual([
        {
          version,
          signatureSchemes: ['ed25519', 'ecdsa_secp256r1_sha256'],
          certificateAuthorities: authorities,
          certificateTypes: version === 'TLSv1.2' ? ['ecdsa_sign', 'rsa_sign'] : undefined,
        },
      ]);
    });

    it('of no authority, where the server names none', async () => {
      const told: (readonly Uint8Array[])[] = [];
      const chooseCredentials = ({ certificateAuthorities }: CertificateRequestInfo) =>
        void told.push(certificateAuthorities);
      await meet({ chooseCredentials }, { clientAuthentication: 'request' });
      expect(told).toEqual([[]]);
    });

    it('takes the place of the list, and passes over keys that cannot sign', async () => {
      const chooseCredentials = () => [ed25519Credentials, ecdsaP384, clientCredentials];
      const { server } = await meet(
        { credentials: [clientCredentials], chooseCredentials },
        { ...asking, signatureSchemes: ['ecdsa_secp384r1_sha384'] },
      );
      expect(theEvent(server, 'handshake').peerCertificates.map(toHex)).toEqual(ecdsaP384.certificates.map(toHex));
    });

    it.each(['async', 'promises'] as const)('may take its time, driver %s', async (driver) => {
      const chooseCredentials = () => Promise.resolve([clientCredentials]);
      const { server } = await meet({ chooseCredentials }, { ...asking, clientAuthentication: 'require' }, driver);
      expect(theEvent(server, 'handshake').peerCertificates).toEqual(clientCredentials.certificates);
    });

    it.each([
      ['nothing', undefined],
      ['an empty list', []],
      ['a key that cannot sign', [rsaCredentials()]],
    ])('%s: an empty Certificate, whatever the list has', async (_what, chosen) => {
      const options = { credentials: [clientCredentials], chooseCredentials: () => chosen };
      const schemes = { signatureSchemes: ['ecdsa_secp256r1_sha256'] } as const;
      const { server } = await meet(options, { ...asking, ...schemes });
      expect(theEvent(server, 'handshake').peerCertificates).toEqual([]);
      const refused = await meet(options, { ...asking, ...schemes, clientAuthentication: 'require' });
      expect(theEvent(refused.server, 'close').error).toMatchObject({
        alert: version === 'TLSv1.2' ? 'handshake_failure' : 'certificate_required',
      });
    });

    it('is not asked by a server that does not ask', async () => {
      let asked = 0;
      const chooseCredentials = () => {
        asked++;
        return [];
      };
      const { client } = await meet({ chooseCredentials }, {});
      expect(eventsOf(client, 'handshake')).toHaveLength(1);
      expect(asked).toBe(0);
    });
  });
});
