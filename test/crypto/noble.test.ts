import { describe, expect, it } from 'vitest';
import type { PublicKey, SignatureAlgorithm } from '../../src/crypto/backend.js';
import { nobleCryptoWithRsa } from '../../src/crypto/noble-rsa.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { bytes, generateRsaKey, refusal } from './backends.js';

describe('nobleCrypto', () => {
  it('has no RSA and says where it is', () => {
    const key = generateRsaKey(2048);
    const publicKey: PublicKey = { kind: 'rsa', modulus: key.modulus, exponent: key.exponent };
    const pss: SignatureAlgorithm = { kind: 'rsa_pss', hash: 'sha256' };
    expect(nobleCrypto.capabilities.signatures).toEqual(['ecdsa', 'ed25519']);
    expect(() => nobleCrypto.signer(key)).toThrow(refusal('missing_dependency'));
    expect(() => nobleCrypto.verify(pss, publicKey, bytes(1), bytes(256))).toThrow(refusal('missing_dependency'));
    expect(() => nobleCrypto.signer(key)).toThrow(/micro-rsa-dsa-dh.*tls-resume\/crypto\/noble-rsa/);
  });

  it('is the same as nobleCryptoWithRsa in everything but RSA', () => {
    const { name, capabilities, signer, verify, ...shared } = nobleCryptoWithRsa;
    expect(nobleCrypto).toMatchObject(shared);
    expect(name).toBe('noble-rsa');
    expect(capabilities).toEqual({
      ...nobleCrypto.capabilities,
      signatures: [...nobleCrypto.capabilities.signatures, 'rsa_pss', 'rsa_pkcs1'],
    });
    expect([signer, verify]).not.toContain(nobleCrypto.signer);
  });
});
