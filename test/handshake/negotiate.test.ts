import { describe, expect, it } from 'vitest';
import type { ClientHelloInfo, ClientSettings } from '../../src/handshake/settings.js';
import { connect, makePair, pump, testClient, testServer, theEvent } from '../support/connections.js';
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

describe('what a server is told of a ClientHello', () => {
  const both = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
  const toldOf = (client: ClientSettings): ClientHelloInfo | undefined => {
    let told: ClientHelloInfo | undefined;
    const chooseSettings = (hello: ClientHelloInfo) => {
      told = hello;
      return undefined;
    };
    pump(makePair(client, testServer('node', 'info', { ...both, chooseSettings })));
    return told;
  };

  it('is each list in the order of the client, numbers without a name included', () => {
    const client = testClient('node', 'info', {
      ...both,
      cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
      signatureSchemes: ['ed25519', 'rsa_pss_rsae_sha256'],
      alpnProtocols: ['h2', 'http/1.1'],
      shapeClientHello: (extensions) =>
        extensions.map((extension) =>
          extension.type === 'supported_groups'
            ? { type: 'supported_groups', data: [0x0a0a, 'secp384r1', 'ffdhe2048', 0x11f3] }
            : extension.type === 'supported_versions'
              ? { type: 'supported_versions', data: [0x1a1a, 'TLSv1.3', 'TLSv1.1'] }
              : extension,
        ),
    });
    expect(toldOf(client)).toEqual({
      serverName: 'server.example',
      alpnProtocols: ['h2', 'http/1.1'],
      versions: [0x1a1a, 'TLSv1.3', 'TLSv1.1'],
      cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
      groups: [0x0a0a, 'secp384r1', 'ffdhe2048', 0x11f3],
      signatureSchemes: ['ed25519', 'rsa_pss_rsae_sha256'],
    });
  });

  it('is TLS 1.2 and empty lists where it is silent', () => {
    const client = testClient('node', 'info', { serverName: undefined, shapeClientHello: () => [] });
    expect(toldOf(client)).toMatchObject({
      serverName: undefined,
      alpnProtocols: [],
      versions: ['TLSv1.2'],
      groups: [],
      signatureSchemes: [],
    });
  });
});
