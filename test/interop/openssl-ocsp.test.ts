/** OCSP stapling with openssl at the other end: `s_server -status_file` and `s_client -status`, and GREASE in ClientHellos to it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { credentialsFromPem } from '../../src/adapters/node/index.js';
import { identities } from '../support/identities.js';
import { describeWithPeer } from '../support/peers.js';
import { SClient } from './s-client.js';
import { talk } from './s-server.js';

/** An OCSPResponse that says malformedRequest, and no more. */
const response = Uint8Array.of(0x30, 3, 0x0a, 1, 1);
const printed = 'OCSP Response Status: malformedrequest (0x1)';

describeWithPeer('openssl', 'OCSP stapling with openssl', (peer) => {
  let clients: SClient;

  beforeAll(async () => {
    clients = await SClient.start(peer);
    clients.openssl.write('response.der', response);
  });
  afterAll(() => clients.stop());

  const versions = [
    ['TLSv1.2', '-tls1_2'],
    ['TLSv1.3', '-tls1_3'],
  ] as const;

  it.each(versions)(
    '%s: our client gets the response of s_server, GREASE and permuted extensions or not',
    async (version, flag) => {
      const server = await clients.openssl.server(
        'ecdsa',
        flag,
        '-www',
        '-status_file',
        clients.openssl.file('response.der'),
      );
      const asking = { requestOCSP: true, maxVersion: 'TLSv1.3' } as const;
      for (const more of [{}, { grease: true, permuteExtensions: true, requestSignedCertificateTimestamps: true }]) {
        const { socket } = await talk(server, { ...asking, ...more });
        expect(socket.handshake).toMatchObject({
          version,
          ocspResponse: response,
          signedCertificateTimestamps: undefined,
        });
      }
      const { socket } = await talk(server, { maxVersion: 'TLSv1.3' });
      expect(socket.handshake?.ocspResponse).toBeUndefined();
    },
  );

  it.each(versions)('%s: s_client gets the response of our server', async (version, flag) => {
    const credentials = [{ ...credentialsFromPem(identities.ecdsa), ocspResponse: response }];
    const server = await clients.serve([identities.rsa], { credentials, maxVersion: version, minVersion: version });
    const asking = await clients.talk(server, flag, '-status');
    expect(asking.openssl.output).toContain(printed);
    const silent = await clients.talk(server, flag);
    expect(silent.openssl.output).not.toContain('OCSP');
    const without = await clients.serve([identities.rsa], { maxVersion: version, minVersion: version });
    expect((await clients.talk(without, flag, '-status')).openssl.output).toContain('OCSP response: no response sent');
  });
});
