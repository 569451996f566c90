/**
 * The throw-away server certificate of the benchmarks: P-256, self-signed, in the trust store of both clients.
 *
 * The verifier does what there is to do with such a chain: find the certificate among the trusted ones, check its dates and,
 * in a full handshake, its name. Trusted certificates are parsed once.
 */
import { createPrivateKey, X509Certificate, type JsonWebKey } from 'node:crypto';
import { concat, equal } from '../src/bytes.js';
import type { PrivateKey } from '../src/crypto/backend.js';
import { publicKeyOf } from '../src/crypto/node.js';
import type { CertificateVerifier } from '../src/handshake/settings.js';

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

const trusted = new X509Certificate(certificatePem);
/** DER. */
export const certificate = new Uint8Array(trusted.raw);
const publicKey = publicKeyOf(trusted.publicKey);
const validFrom = Date.parse(trusted.validFrom);
const validTo = Date.parse(trusted.validTo);

export const verifyCertificate: CertificateVerifier = ({ certificates: [leaf], serverName: name = '', resumed }) => {
  if (leaf === undefined || publicKey === undefined || !equal(leaf, certificate)) return refused('unknown_ca');
  const now = Date.now();
  if (now < validFrom || now > validTo) return refused('certificate_expired');
  if (!resumed && trusted.checkHost(name) === undefined) return refused('bad_certificate');
  return { accepted: true, publicKey };
};

function refused(alert: 'unknown_ca' | 'certificate_expired' | 'bad_certificate') {
  return { accepted: false, alert, reason: 'not the certificate of the benchmarks' } as const;
}

/** The server's key in raw parts, for a signer of any backend. */
export function privateKey(): PrivateKey {
  const { d = '', x = '', y = '' }: JsonWebKey = createPrivateKey(privateKeyPem).export({ format: 'jwk' });
  const point = concat(Uint8Array.of(4), fromBase64Url(x), fromBase64Url(y));
  return { kind: 'ecdsa', curve: 'secp256r1', scalar: fromBase64Url(d), point };
}

function fromBase64Url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
