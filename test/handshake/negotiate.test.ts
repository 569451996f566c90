import { describe, expect, it } from 'vitest';
import { connect, testClient, testServer, theEvent } from '../support/connections.js';
import { ecdsaP256, ecdsaP384, rsaCredentials } from '../support/credentials.js';

describe('the certificate that a server shows (RFC 8422 5.1)', () => {
  const client = testClient('node', 'curves', { groups: ['x25519', 'secp384r1'] });

  it('has a curve that the client lists', async () => {
    const server = testServer('node', 'curves', { credentials: [ecdsaP256, ecdsaP384] });
    const { peerCertificates, group } = theEvent((await connect(client, server)).client, 'handshake');
    expect(peerCertificates).toEqual(ecdsaP384.certificates);
    expect(group).toBe('x25519');
  });

  it('or holds another kind of key', async () => {
    const server = testServer('node', 'curves', { credentials: [ecdsaP256, rsaCredentials()] });
    const { peerCertificates } = theEvent((await connect(client, server)).client, 'handshake');
    expect(peerCertificates).toEqual(rsaCredentials().certificates);
  });

  it('or there is none', async () => {
    const pair = await connect(client, testServer('node', 'curves', { credentials: [ecdsaP256] }));
    expect(theEvent(pair.server, 'close').error).toMatchObject({ name: 'AlertError', alert: 'handshake_failure' });
  });
});
