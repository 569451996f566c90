import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { credentialsFromPem } from '../../../src/adapters/x509/index.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { der, identity, pem } from '../../support/certificates.js';

const data = Uint8Array.of(1, 2, 3);

describe('credentialsFromPem', () => {
  it('gives the chain as DER, leaf first, and a signer that the leaf proves', async () => {
    const { certificates, signer } = credentialsFromPem(identity('p256'));
    expect(certificates).toEqual([der('p256'), der('intermediate')]);
    const algorithm = { kind: 'ecdsa', hash: 'sha256' } as const;
    const signature = await signer.sign(algorithm, data);
    expect(nodeCrypto.verify(algorithm, signer.publicKey, data, signature)).toBe(true);
  });

  it('takes bytes, and text around the certificates', () => {
    const { cert, key } = identity('rsa');
    const { certificates } = credentialsFromPem({ cert: Buffer.from(`subject=x\n${cert}\n`), key: Buffer.from(key) });
    expect(certificates).toHaveLength(2);
  });

  it('opens an encrypted key with its passphrase', () => {
    const { cert, key } = pem('ed25519');
    const locked = createPrivateKey(key).export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-256-cbc',
      passphrase: 'sesame',
    });
    expect(credentialsFromPem({ cert, key: locked, passphrase: 'sesame' }).signer.publicKey.kind).toBe('ed25519');
    const failure = {
      code: 'invalid_key',
      message: '`key` is no private key in PEM, or `passphrase` does not open it',
    };
    expect(() => credentialsFromPem({ cert, key: locked, passphrase: 'mellon' })).toThrow(
      expect.objectContaining(failure),
    );
    expect(() => credentialsFromPem({ cert, key: locked })).toThrow(expect.objectContaining(failure));
  });

  it('refuses the key of another certificate, and PEM without certificates', () => {
    expect(() => credentialsFromPem({ cert: pem('p256').cert, key: pem('p384').key })).toThrow(
      expect.objectContaining({ code: 'invalid_key', message: '`key` does not belong to the certificate' }),
    );
    expect(() => credentialsFromPem({ cert: '', key: pem('p256').key })).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: '`cert` holds no certificate' }),
    );
  });
});
