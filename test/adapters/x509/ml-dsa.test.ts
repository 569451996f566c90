/** Chains and keys of ML-DSA (RFC 9881), on any Node.js; what only OpenSSL can verify is refused by name where it cannot. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { credentials, privateKeyFromPem } from '../../../src/adapters/x509/credentials.js';
import { acceptAnyCertificateForTesting, credentialsFromPem, nodeVerifier } from '../../../src/adapters/x509/index.js';
import { mlDsaCertificateKey, mlDsaSecrets } from '../../../src/adapters/x509/ml-dsa.js';
import { clientSettings, serverSettings } from '../../../src/connection/config.js';
import { fromHex, toHex } from '../../../src/bytes.js';
import { mlDsaParameterSets, mlDsaPrivateKeyInfo } from '../../../src/crypto/ml-dsa.js';
import { withPostQuantum } from '../../../src/crypto/noble-post-quantum.js';
import { nodeHasMlDsa } from '../../../src/crypto/node-signature.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { makePair, pump, theEvent } from '../../support/connections.js';
import { readVectors } from '../../support/vectors.js';

const pems = readVectors('mldsa/certificates.json') as Record<
  'authority' | 'mldsaAuthority' | 'mldsa44' | 'mldsa65' | 'mldsa87' | 'mldsaChain',
  { readonly certificatePem: string; readonly privateKeyPem: string }
>;
const leaves = [
  ['mldsa44', 'ML-DSA-44'],
  ['mldsa65', 'ML-DSA-65'],
  ['mldsa87', 'ML-DSA-87'],
] as const;

const crypto = withPostQuantum(nodeCrypto);
const now = () => Date.UTC(2027, 0, 1);
const certificateOf = (name: keyof typeof pems) => new X509Certificate(pems[name].certificatePem);
const derOf = (name: keyof typeof pems) => new Uint8Array(certificateOf(name).raw);
const pemOf = (privateKeyInfo: Uint8Array) =>
  `-----BEGIN PRIVATE KEY-----\n${Buffer.from(privateKeyInfo).toString('base64')}\n-----END PRIVATE KEY-----\n`;
const infoOf = (pem: string) => new Uint8Array(Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64'));

const failure = (code: string, message?: RegExp): Error =>
  expect.objectContaining({
    name: 'UsageError',
    code,
    ...(message && { message: expect.stringMatching(message) as string }),
  }) as Error;

describe.each(leaves)('%s', (name, parameterSet) => {
  const { certificatePem: cert, privateKeyPem: key } = pems[name];
  const algorithm = { kind: 'mldsa', parameterSet } as const;
  const secrets = mlDsaSecrets(infoOf(key))!;
  const publicKey = mlDsaCertificateKey(certificateOf(name))!;

  it('its certificate and its key are read', () => {
    expect(publicKey).toMatchObject({ kind: 'mldsa', parameterSet });
    expect(publicKey.key).toHaveLength(mlDsaParameterSets[parameterSet].publicKeyLength);
    expect(secrets.parameterSet).toBe(parameterSet);
    expect(secrets.secretKeys.map(({ length }) => length)).toEqual([
      32,
      mlDsaParameterSets[parameterSet].expandedKeyLength,
    ]);
  });

  it('its secrets are not printed', () => {
    expect(inspect(privateKeyFromPem(key))).toBe(
      `{\n  parameterSet: '${parameterSet}',\n  secretKeys: [ [32 secret bytes], [${mlDsaParameterSets[parameterSet].expandedKeyLength} secret bytes] ]\n}`,
    );
  });

  it.each(['the seed and what it expands to', 'the seed alone', 'what it expands to alone'])(
    'signs with %s',
    (form) => {
      const [seed, expanded] = secrets.secretKeys.map((secretKey) =>
        pemOf(mlDsaPrivateKeyInfo({ ...publicKey, secretKey })),
      );
      const pem = { 'the seed alone': seed, 'what it expands to alone': expanded }[form] ?? key;
      const { certificates, signer } = credentialsFromPem({ cert, key: pem, crypto });
      expect(certificates).toEqual([derOf(name)]);
      expect(signer.publicKey).toEqual(publicKey);
      const signature = signer.sign(algorithm, fromHex('0102')) as Uint8Array;
      expect(crypto.verify(algorithm, publicKey, fromHex('0102'), signature)).toBe(true);
    },
  );

  it('a handshake proves it', () => {
    const server = serverSettings({ now, crypto, credentials: [credentialsFromPem({ cert, key, crypto })] });
    const client = clientSettings({
      now,
      crypto,
      serverName: 'example.test',
      signatureSchemes: [`mldsa${parameterSet.slice(-2) as '44' | '65' | '87'}`],
      verifyCertificate: nodeVerifier({ ca: pems.authority.certificatePem, now }),
    });
    const pair = pump(makePair(client, server));
    expect(theEvent(pair.client, 'handshake')).toMatchObject({
      version: 'TLSv1.3',
      peerSignatureScheme: name,
      peerCertificates: [derOf(name)],
    });
  });
});

describe('a private key', () => {
  const { certificatePem: cert, privateKeyPem: key } = pems.mldsa44;
  const info = infoOf(key);

  it('of another certificate or parameter set is refused', () => {
    for (const other of ['mldsaChain', 'mldsa65', 'authority'] as const)
      expect(() => credentialsFromPem({ cert, key: pems[other].privateKeyPem, crypto })).toThrow(
        failure('invalid_key'),
      );
    expect(() => credentialsFromPem({ cert: pems.authority.certificatePem, key, crypto })).toThrow(
      failure('invalid_key', /does not belong/),
    );
  });

  it('whose seed does not expand to what stands beside it is refused', () => {
    const other = mlDsaSecrets(infoOf(pems.mldsaChain.privateKeyPem))!.secretKeys;
    const own = mlDsaSecrets(info)!.secretKeys;
    for (const [at, secret] of [
      [own[0]!, other[0]!],
      [own[1]!, other[1]!],
    ] as const) {
      const mixed = fromHex(toHex(info).replace(toHex(at), toHex(secret)));
      expect(toHex(mixed)).not.toBe(toHex(info));
      expect(() => credentialsFromPem({ cert, key: pemOf(mixed), crypto })).toThrow(failure('invalid_key'));
    }
  });

  it('that does not follow RFC 9881 is refused, and says nothing of the key', () => {
    const [seed] = mlDsaSecrets(info)!.secretKeys;
    const algorithm = '300b0609608648016503040311';
    for (const wrong of [
      `3033020100${algorithm}0421801f${toHex(seed!.subarray(1))}`, // a seed of 31 bytes
      `3034020100${algorithm}04220420${toHex(seed!)}`, // which would be an expanded key
      `3034020100${algorithm}04228120${toHex(seed!)}`, // [1]
    ])
      expect(() => privateKeyFromPem(pemOf(fromHex(wrong)))).toThrow(
        failure('invalid_key', /^`key` is no private key/),
      );
    // Parameters that must be absent: not a key of this kind at all.
    expect(mlDsaSecrets(fromHex(`3036020100300d0609608648016503040311050004228020${toHex(seed!)}`))).toBeUndefined();
    expect(mlDsaSecrets(fromHex('3003020100'))).toBeUndefined();
    expect(mlDsaSecrets(new Uint8Array(0))).toBeUndefined();
  });

  it('is found among those of others', () => {
    const keys = [pems.authority, pems.mldsa65, pems.mldsa44].map(({ privateKeyPem }) =>
      privateKeyFromPem(privateKeyPem),
    );
    expect(credentials([certificateOf('mldsa44')], keys, crypto).signer.publicKey.kind).toBe('mldsa');
    expect(credentials([certificateOf('authority')], keys, crypto).signer.publicKey.kind).toBe('ecdsa');
  });

  it('needs a backend that signs with it', ({ skip }) => {
    if (nodeHasMlDsa) {
      expect(credentialsFromPem({ cert, key }).signer.publicKey.kind).toBe('mldsa');
      return skip(`${process.version} has ML-DSA in node:crypto`);
    }
    expect(() => credentialsFromPem({ cert, key })).toThrow(
      failure('unsupported_by_backend', /tls-resume\/crypto\/noble-post-quantum/),
    );
    expect(() => createPrivateKey(key)).toThrow();
  });
});

describe('a certificate', () => {
  const chain = [derOf('mldsaChain'), derOf('mldsaAuthority')];
  const question = { role: 'server', serverName: 'example.test', resumed: false } as const;

  it('by an ML-DSA authority is verified by OpenSSL, or refused by name where it does not know ML-DSA', () => {
    const verdict = nodeVerifier({ ca: pems.mldsaAuthority.certificatePem, now })({ ...question, certificates: chain });
    expect(verdict).toEqual(
      nodeHasMlDsa
        ? { accepted: true, publicKey: mlDsaCertificateKey(certificateOf('mldsaChain')) }
        : {
            accepted: false,
            alert: 'unsupported_certificate',
            reason: '"CN=ML-DSA Authority" has an ML-DSA key, which node:crypto knows from Node.js 24.6 on',
          },
    );
  });

  it('is accepted where it is trusted itself, and by who accepts any', () => {
    const publicKey = mlDsaCertificateKey(certificateOf('mldsaChain'));
    const own = { ...question, certificates: [derOf('mldsaChain')] };
    expect(nodeVerifier({ ca: pems.mldsaChain.certificatePem, now })(own)).toEqual({ accepted: true, publicKey });
    expect(acceptAnyCertificateForTesting()(own)).toEqual({ accepted: true, publicKey });
  });

  it('by a classic authority is refused if that did not sign it, or for another name', () => {
    const certificate = derOf('mldsa65');
    certificate[certificate.length - 1]! ^= 1;
    const verify = nodeVerifier({ ca: pems.authority.certificatePem, now });
    expect(verify({ ...question, certificates: [certificate] })).toMatchObject({
      accepted: false,
      alert: 'bad_certificate',
    });
    expect(verify({ ...question, serverName: 'other.test', certificates: [derOf('mldsa65')] })).toMatchObject({
      accepted: false,
      alert: 'bad_certificate',
    });
  });

  it('with a key of another length is none', () => {
    const raw = derOf('mldsa44');
    const key = mlDsaCertificateKey(certificateOf('mldsa44'))!.key;
    // The bits are the same, and the parameter set says that there should be more of them.
    const renamed = toHex(raw).replaceAll('0609608648016503040311', '0609608648016503040312');
    expect(renamed).toContain(toHex(key));
    const certificate = new X509Certificate(fromHex(renamed));
    expect(mlDsaCertificateKey(certificate)).toBeUndefined();
    expect(acceptAnyCertificateForTesting()({ certificates: [fromHex(renamed)], ...question })).toMatchObject({
      accepted: false,
    });
    expect(mlDsaCertificateKey(certificateOf('authority'))).toBeUndefined();
  });
});
