/** How a client chooses what to show to a server that asks for a certificate (RFC 5246 7.4.4 and 7.4.6, RFC 8446 4.3.2 and 4.4.2). */
import { describe, expect, it } from 'vitest';
import { ascii, toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { clientConnection } from '../../src/connection/connection.js';
import type { CertificateRequestInfo, Credentials } from '../../src/handshake/settings.js';
import type { CertificateRequestTls12 } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import {
  connect,
  epoch,
  eventsOf,
  makeEnd,
  pump,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  type Changes,
  type DriverName,
} from '../support/connections.js';
import { changing, disguisedServer } from '../support/disguised.js';
import { clientCredentials, ecdsaP384, ed25519Credentials, rsaCredentials } from '../support/credentials.js';

const authorities = [ascii('authority one'), ascii('authority two')];
const asking = { clientAuthentication: 'request', certificateAuthorities: authorities } as const;

describe('RFC 5246 7.4.4: certificate_types of TLS 1.2', () => {
  const all = [rsaCredentials(), clientCredentials, ed25519Credentials];

  /** The certificate of a client that has all of these, where the server asks for these types. */
  function shown(
    certificateTypes: CertificateRequestTls12['certificateTypes'],
    credentials: readonly Credentials[] = all,
  ): readonly string[] {
    const server = disguisedServer(testServer('node', 'types', { clientAuthentication: 'request' }), {
      says: changing('certificate_request', (body) => ({ ...body, certificateTypes })),
    });
    const client = makeEnd((own) => clientConnection(testClient('node', 'types', { credentials }), own), 'sync');
    pump({ client, server, segments: [] });
    return theEvent(server, 'handshake').peerCertificates.map(toHex);
  }

  it('rsa_sign is for RSA keys, ecdsa_sign for ECDSA', () => {
    expect(shown(['rsa_sign'])).toEqual(rsaCredentials().certificates.map(toHex));
    expect(shown(['ecdsa_sign', 'rsa_sign'])).toEqual(rsaCredentials().certificates.map(toHex));
    expect(shown(['ecdsa_sign'])).toEqual(clientCredentials.certificates.map(toHex));
  });

  it('of others nothing is shown', () => {
    expect(shown([2, 66])).toEqual([]); // dss_sign, ecdsa_fixed_ecdh
  });

  it('RFC 8422 5.5: Ed25519 goes with ecdsa_sign', () => {
    expect(shown(['ecdsa_sign'], [ed25519Credentials])).toEqual(ed25519Credentials.certificates.map(toHex));
    expect(shown(['rsa_sign'], [ed25519Credentials])).toEqual([]);
  });
});

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

    it('a key that cannot sign: handshake_failure, and in a plain list an empty Certificate', async () => {
      const schemes = { ...asking, signatureSchemes: ['ecdsa_secp256r1_sha256'] } as const;
      const chosen = await meet({ chooseCredentials: () => [rsaCredentials()] }, schemes);
      expect(theEvent(chosen.client, 'close').error).toMatchObject({ name: 'AlertError', alert: 'handshake_failure' });
      expect(theEvent(chosen.server, 'close').error).toMatchObject({
        name: 'PeerAlertError',
        alert: 'handshake_failure',
      });
      const listed = await meet({ credentials: [rsaCredentials()] }, schemes);
      expect(theEvent(listed.server, 'handshake').peerCertificates).toEqual([]);
    });

    it('P-bind-5 resumes in a shared store as nobody else, and has no store without saying who it is', async () => {
      const { sealer } = ticketSealer(backend, 'choice');
      const sessions = new MemoryStore({ now: () => epoch });
      const shown = async (user: string, credentials: Credentials) => {
        const chooseCredentials = () => [credentials];
        const client = { sessions, chooseCredentials, applicationContext: ascii(user) };
        const { server } = await meet(client, { ...asking, tickets: sealer });
        const { resumed, peerCertificates } = theEvent(server, 'handshake');
        return [resumed, peerCertificates.map(toHex)];
      };
      const [alice, bob] = [clientCredentials, ed25519Credentials];
      expect(await shown('alice', alice)).toEqual([false, alice.certificates.map(toHex)]);
      expect(await shown('bob', bob)).toEqual([false, bob.certificates.map(toHex)]);
      expect(await shown('alice', alice)).toEqual([true, alice.certificates.map(toHex)]);
      expect(() => testClient(backend, 'nobody', { ...only, sessions, chooseCredentials: () => [] })).toThrow(
        expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }),
      );
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
