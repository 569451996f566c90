/** Authentication by certificate in TLS 1.3, in both directions (RFC 8446 4.3.2, 4.4.2, 4.4.3; RFC 8879). */
import { describe, expect, it } from 'vitest';
import { ascii, empty, toHex } from '../../src/bytes.js';
import type { CertificateCompression } from '../../src/crypto/certificate-compression.js';
import type { Credentials } from '../../src/handshake/settings.js';
import { maxCertificateLength } from '../../src/handshake/authenticate-tls13.js';
import { certificate as certificateCodec, type Certificate, type CertificateVerify } from '../../src/messages/index.js';
import { makePair, pump, theEvent } from '../support/connections.js';
import {
  clientCredentials,
  ecdsaP256,
  ecdsaP384,
  ed25519Credentials,
  rsaCredentials,
  rsaPssCredentials,
} from '../support/credentials.js';
import {
  clientMeets,
  listening,
  outcome,
  saying,
  serverMeets,
  serverPair,
  withExtensions,
  withoutExtensions,
} from '../support/tls13-rules.js';
import { makeWorld13 } from '../support/world-tls13.js';

const world = makeWorld13();
const full = 'full: not_offered';
const withIdentity = { credentials: [clientCredentials] };

describe.each([
  ['ecdsa_secp256r1_sha256', () => ecdsaP256],
  ['ecdsa_secp384r1_sha384', () => ecdsaP384],
  ['ed25519', () => ed25519Credentials],
  ['rsa_pss_rsae_sha256', rsaCredentials],
  ['rsa_pss_pss_sha256', rsaPssCredentials],
] as const)('%s', (scheme, credentials) => {
  it('authenticates a server', () => {
    const { heard, says } = listening('certificate_verify');
    expect(clientMeets(world.client(), world.server({ credentials: [credentials()] }), says)).toBe(full);
    expect(heard.map(({ algorithm }) => algorithm)).toEqual([scheme]);
  });

  it('authenticates a client', () => {
    const { heard, says } = listening('certificate_verify');
    const pair = serverPair(
      world.client({ credentials: [credentials()] }),
      world.server({ clientAuthentication: 'require' }),
      says,
    );
    expect(outcome(pump(pair))).toBe(full);
    expect(heard.map(({ algorithm }) => algorithm)).toEqual([scheme]);
    expect(theEvent(pair.server, 'handshake').peerCertificates.map(toHex)).toEqual(
      credentials().certificates.map(toHex),
    );
  });
});

describe('CertificateVerify', () => {
  const edited = (change: (body: CertificateVerify) => CertificateVerify, credentials: Credentials = ecdsaP256) =>
    clientMeets(world.client(), world.server({ credentials: [credentials] }), saying('certificate_verify', change));

  it('with one wrong bit: decrypt_error', () => {
    const broken = (body: CertificateVerify) => ({
      ...body,
      signature: body.signature.map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte)),
    });
    expect(edited(broken)).toBe('client: decrypt_error');
    expect(edited(broken, ed25519Credentials)).toBe('client: decrypt_error');
  });

  it.each([
    ['of another curve than the key', 'ecdsa_secp384r1_sha384'],
    ['of another kind of key', 'ed25519'],
    ['of TLS 1.2 (RFC 8446 4.2.3)', 'rsa_pkcs1_sha256'],
    ['that nobody offered', 'ecdsa_sha1'],
    ['that is GREASE', 0x0a0a],
  ] as const)('with a scheme %s: illegal_parameter', (_what, algorithm) => {
    expect(edited((body) => ({ ...body, algorithm }))).toBe('client: illegal_parameter');
  });

  it('RSASSA-PKCS1-v1_5 is no scheme of TLS 1.3: illegal_parameter', () => {
    expect(edited((body) => ({ ...body, algorithm: 'rsa_pkcs1_sha256' }), rsaCredentials())).toBe(
      'client: illegal_parameter',
    );
  });

  it('of the other role, over the same transcript: decrypt_error', () => {
    // The client signs with the words of a server.
    const pair = serverPair(
      world.client({
        credentials: [
          {
            ...clientCredentials,
            signer: {
              ...clientCredentials.signer,
              sign: (algorithm, data) => {
                const words = ascii(`${' '.repeat(64)}TLS 1.3, server CertificateVerify\0`);
                const other = data.slice();
                other.set(words);
                return clientCredentials.signer.sign(algorithm, other);
              },
            },
          },
        ],
      }),
      world.server({ clientAuthentication: 'require' }),
    );
    expect(outcome(pump(pair), 'server')).toBe('server: decrypt_error');
  });

  it('that does not come: unexpected_message', () => {
    expect(
      clientMeets(
        world.client(),
        world.server(),
        saying('certificate_verify', () => []),
      ),
    ).toBe('client: unexpected_message');
    const skipping = saying('certificate_verify', () => []);
    const asking = world.server({ clientAuthentication: 'require' });
    expect(serverMeets(world.client(withIdentity), asking, skipping)).toBe('server: unexpected_message');
  });
});

describe('Certificate', () => {
  const edited = (change: (body: Certificate) => Certificate) =>
    clientMeets(world.client(), world.server(), saying('certificate', change));

  it('R8446-4.4.2-1 of a server is not empty: decode_error', () => {
    expect(edited((body) => ({ ...body, certificateList: [] }))).toBe('client: decode_error');
  });

  it('has no context in the handshake: illegal_parameter', () => {
    expect(edited((body) => ({ ...body, certificateRequestContext: Uint8Array.of(1) }))).toBe(
      'client: illegal_parameter',
    );
  });

  it('R8446-4.2-1 has no extension that nobody asked for: unsupported_extension', () => {
    const stapled = (body: Certificate): Certificate => ({
      ...body,
      certificateList: body.certificateList.map((entry) => ({ ...entry, extensions: [{ type: 0x1a1a, data: empty }] })),
    });
    expect(edited(stapled)).toBe('client: unsupported_extension');
  });

  it('that the verifier refuses ends the handshake with its alert', () => {
    const refusing = world.client({
      verifyCertificate: () => ({ accepted: false, alert: 'certificate_revoked', reason: 'test' }),
    });
    expect(clientMeets(refusing, world.server())).toBe('client: certificate_revoked');
  });
});

describe('a server that asks for a certificate', () => {
  const requiring = world.server({ clientAuthentication: 'require' });
  const requesting = world.server({ clientAuthentication: 'request' });

  it('P-state-5 and requires one: certificate_required without', () => {
    expect(serverMeets(world.client(), requiring)).toBe('server: certificate_required');
    expect(serverMeets(world.client(), requesting)).toBe(full);
  });

  it('P-state-5 nothing of the flight may be left out: unexpected_message', () => {
    for (const type of ['certificate', 'certificate_verify', 'finished'] as const) {
      // Behind a Finished that is missing comes nothing at all.
      const outcomeOf = serverMeets(
        world.client(withIdentity),
        requiring,
        saying(type, () => []),
      );
      expect(outcomeOf).toBe(type === 'finished' ? 'nothing' : 'server: unexpected_message');
    }
  });

  it('gets an empty one from a client whose keys can make no signature that it takes', () => {
    const picky = world.server({ clientAuthentication: 'request', signatureSchemes: ['ed25519'] });
    const pair = pump(makePair(world.client(withIdentity), picky));
    expect(outcome(pair)).toBe(full);
    expect(theEvent(pair.server, 'handshake').peerCertificates).toEqual([]);
  });

  it('says what it takes, and whose', () => {
    const { heard, says } = listening('certificate_request');
    const certificateAuthorities = [ascii('an authority')];
    clientMeets(
      world.client(withIdentity),
      world.server({ clientAuthentication: 'request', certificateAuthorities }),
      says,
    );
    const [request] = heard;
    expect(request?.certificateRequestContext).toEqual(empty);
    expect(request?.extensions.map(({ type }) => type)).toEqual(['signature_algorithms', 'certificate_authorities']);
  });

  it.each<[string, Parameters<typeof saying<'certificate_request'>>[1], string]>([
    [
      'with a context: illegal_parameter',
      (body) => ({ ...body, certificateRequestContext: Uint8Array.of(1) }),
      'illegal_parameter',
    ],
    [
      'R9846-4.4.2-1 without signature_algorithms: missing_extension',
      withoutExtensions('signature_algorithms'),
      'missing_extension',
    ],
  ])('%s', (_what, change, alert) => {
    expect(clientMeets(world.client(withIdentity), requesting, saying('certificate_request', change))).toBe(
      `client: ${alert}`,
    );
  });

  it('with extensions that the client does not know is answered', () => {
    const says = saying('certificate_request', withExtensions({ type: 0x2a2a, data: empty }));
    expect(clientMeets(world.client(withIdentity), requiring, says)).toBe(full);
  });
});

describe('certificate compression (RFC 8879)', () => {
  /** Turns bytes around: no compression, but nothing that passes for plain either. */
  const turned: CertificateCompression = {
    algorithm: 'zlib',
    compress: (plain) => plain.slice().reverse(),
    decompress: (packed, length) => (packed.length === length ? packed.slice().reverse() : undefined),
  };
  const both = { certificateCompression: [turned] };
  const requiring = { ...both, clientAuthentication: 'require' } as const;

  it('is used in both directions where both sides know it, and nowhere else', () => {
    const said = (client: Parameters<typeof world.client>[0], server: Parameters<typeof world.server>[0]) => {
      const types: string[] = [];
      const note = (message: { readonly type: string }) => {
        if (message.type.includes('certificate')) types.push(message.type);
      };
      expect(clientMeets(world.client(client), world.server(server), (message) => (note(message), [message]))).toBe(
        full,
      );
      expect(serverMeets(world.client(client), world.server(server), (message) => (note(message), [message]))).toBe(
        full,
      );
      return types.filter((type) => type !== 'certificate_request' && type !== 'certificate_verify');
    };
    expect(said({ ...withIdentity, ...both }, requiring)).toEqual(['compressed_certificate', 'compressed_certificate']);
    expect(said({ ...withIdentity, ...both }, { clientAuthentication: 'require' })).toEqual([
      'certificate',
      'certificate',
    ]);
    expect(said(withIdentity, requiring)).toEqual(['certificate', 'certificate']);
  });

  const compressed = (
    change: (body: {
      algorithm: string | number;
      uncompressedLength: number;
      compressedCertificateMessage: Uint8Array;
    }) => object,
  ) =>
    clientMeets(
      world.client(both),
      world.server(both),
      saying('compressed_certificate', (body) => ({ ...body, ...change(body) })),
    );

  it('by an algorithm that was not offered: illegal_parameter', () => {
    expect(compressed(() => ({ algorithm: 'brotli' }))).toBe('client: illegal_parameter');
  });

  it('that does not open, or is longer than it may be: bad_certificate', () => {
    expect(compressed((body) => ({ uncompressedLength: body.uncompressedLength + 1 }))).toBe('client: bad_certificate');
    expect(compressed(() => ({ uncompressedLength: maxCertificateLength + 1 }))).toBe('client: bad_certificate');
  });

  it('of something that is no Certificate: decode_error', () => {
    const compressedCertificateMessage = Uint8Array.of(9, 9, 9);
    expect(compressed(() => ({ uncompressedLength: 3, compressedCertificateMessage }))).toBe('client: decode_error');
  });

  it('unasked: unexpected_message', () => {
    const says = saying('certificate', (body) => {
      const plain = certificateCodec.encode(body);
      const packed = turned.compress(plain);
      return [
        {
          type: 'compressed_certificate',
          body: { algorithm: 'zlib', uncompressedLength: plain.length, compressedCertificateMessage: packed },
        },
      ];
    });
    expect(clientMeets(world.client(), world.server(), says)).toBe('client: unexpected_message');
  });
});
