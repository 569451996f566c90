/**
 * The throw-away server certificate of the benchmarks: P-256, self-signed, in the trust store of both clients.
 */
import { createPrivateKey, X509Certificate, type JsonWebKey } from 'node:crypto';
import { nodeVerifier } from '../src/adapters/x509/index.js';
import { concat } from '../src/bytes.js';
import type { PrivateKey } from '../src/crypto/backend.js';

export const serverName = 'resumption.test';

export const privateKeyPem = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghL+ElFMc2XvI5oXo
VZzC9NO3gPIvQmbXICZ3XalQ3UahRANCAAQdNsZIg3qih+nP+IEmiAOdsCch7iNp
gooPjdMis1aub7yIWIitDCHB7XXJQy9NfmnO6T9XieMSXpY0LilgqHXh
-----END PRIVATE KEY-----
`;

export const certificatePem = `-----BEGIN CERTIFICATE-----
MIIBYjCCAQigAwIBAgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9yZXN1bXB0
aW9uLnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBoxGDAW
BgNVBAMMD3Jlc3VtcHRpb24udGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
BB02xkiDeqKH6c/4gSaIA52wJyHuI2mCig+N0yKzVq5vvIhYiK0MIcHtdclDL01+
ac7pP1eJ4xJeljQuKWCodeGjPTA7MBoGA1UdEQQTMBGCD3Jlc3VtcHRpb24udGVz
dDAdBgNVHQ4EFgQUMPW+XMqk9yj1ZcaJSM8XhMbMuRowCgYIKoZIzj0EAwIDSAAw
RQIhAIzZOqZmjYKk4gwy7SKAsjcjTZ5AFJT1tGbx8mi5k4AbAiAh5eKWtil4RHqQ
ZhpNnRxsPZphW117mCzRVSWCRQ+LMA==
-----END CERTIFICATE-----
`;

/** DER. */
export const certificate = new Uint8Array(new X509Certificate(certificatePem).raw);

/** What clients of `tls-resume/node` judge chains with: it remembers the ones that it has accepted. */
export const verifyCertificate = nodeVerifier({ ca: certificatePem });

/** The server's key in raw parts, for a signer of any backend. */
export function privateKey(): PrivateKey {
  const { d = '', x = '', y = '' }: JsonWebKey = createPrivateKey(privateKeyPem).export({ format: 'jwk' });
  const point = concat(Uint8Array.of(4), fromBase64Url(x), fromBase64Url(y));
  return { kind: 'ecdsa', curve: 'secp256r1', scalar: fromBase64Url(d), point };
}

function fromBase64Url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
