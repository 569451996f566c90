import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { maxCertificates, nodeVerifier, acceptAnyCertificateForTesting } from '../../../src/adapters/x509/index.js';
import type { NodeVerifierOptions } from '../../../src/adapters/x509/index.js';
import type { CertificateVerdict } from '../../../src/handshake/settings.js';
import { ca, der, pem } from '../../support/certificates.js';

const now = Date.UTC(2026, 10, 21);

function judge(
  names: readonly string[],
  options: NodeVerifierOptions & { role?: 'server' | 'client' } = {},
): CertificateVerdict {
  const { role = 'server', ...own } = options;
  const verifier = nodeVerifier({ ca, now: () => now, host: 'localhost', ...own });
  return verifier({ certificates: names.map(der), role, serverName: undefined, resumed: false });
}

/** A certificate of a P-256 key with a point that is not on the curve: OpenSSL reads it, until it is asked for the key. */
function withUnreadableKey(certificate: Uint8Array): Uint8Array {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  const last = Buffer.from(certificate).indexOf(spki) + spki.length - 1;
  return certificate.map((byte, i) => (i === last ? byte ^ 1 : byte));
}

describe('nodeVerifier', () => {
  it.each([
    ['p256', { kind: 'ecdsa', curve: 'secp256r1' }],
    ['p384', { kind: 'ecdsa', curve: 'secp384r1' }],
    ['ed25519', { kind: 'ed25519' }],
    ['rsa', { kind: 'rsa' }],
    ['rsa-pss', { kind: 'rsa', restriction: 'pss' }],
  ])('accepts a chain with a key of kind %s and gives its key', (name, publicKey) => {
    expect(judge([name, 'intermediate'])).toMatchObject({ accepted: true, publicKey });
  });

  it.each(['ed25519', 'rsa', 'rsa-pss', 'p384'])(
    'verifies the signatures of an authority with a key of kind %s',
    (kind) => {
      expect(judge([`below-${kind}-root`], { ca: pem(`${kind}-root`).cert })).toMatchObject({ accepted: true });
      expect(judge([`below-${kind}-root`])).toMatchObject({ accepted: false, alert: 'unknown_ca' });
    },
  );

  it.each([
    ['intermediates in any order', ['below-below', 'root', 'below', 'intermediate'], { alert: 'unknown_ca' }],
    ['with the anchor sent along', ['p256', 'intermediate', 'root'], undefined],
    ['among certificates that do not belong', ['p256', 'other-root', 'no-ca', 'intermediate', 'expired'], undefined],
  ])('finds the path: %s', (_, names, refusal) => {
    expect(judge(names)).toMatchObject(refusal ?? { accepted: true });
  });

  it('takes an intermediate or the leaf itself as trust anchor', () => {
    expect(judge(['p256'], { ca: pem('intermediate').cert })).toMatchObject({ accepted: true });
    expect(judge(['self-signed'], { ca: pem('self-signed').cert })).toMatchObject({ accepted: true });
    expect(judge(['expired'], { ca: pem('expired').cert })).toMatchObject({ alert: 'certificate_expired' });
  });

  it.each([
    [
      'expired',
      ['expired', 'intermediate'],
      'certificate_expired',
      '"CN=Expired" has expired on Jan  1 00:00:00 2021 GMT',
    ],
    [
      'not yet valid',
      ['not-yet-valid', 'intermediate'],
      'certificate_expired',
      '"CN=Not Yet Valid" is not valid before Jan  1 00:00:00 2120 GMT',
    ],
    [
      'below an expired authority',
      ['below-expired', 'expired-intermediate'],
      'certificate_expired',
      '"CN=Expired Intermediate" has expired on Jan  1 00:00:00 2021 GMT',
    ],
    [
      'for another host',
      ['wrong-host', 'intermediate'],
      'bad_certificate',
      'the certificate is not for localhost but for DNS:elsewhere.example',
    ],
    [
      'with the name in the Common Name alone',
      ['common-name-only', 'intermediate'],
      'bad_certificate',
      'the certificate is not for localhost but for no name',
    ],
    ['self-signed', ['self-signed'], 'unknown_ca', 'no path leads to a trusted certificate'],
    ['of another authority', ['below-p384-root'], 'unknown_ca', 'no path leads to a trusted certificate'],
    ['without its intermediate', ['p256'], 'unknown_ca', 'no path leads to a trusted certificate'],
    [
      'below one that is no authority',
      ['below-no-ca', 'no-ca'],
      'unknown_ca',
      '"CN=No Authority" is no certificate authority (basicConstraints)',
    ],
    [
      'beyond pathLenConstraint',
      ['below-below', 'below', 'intermediate'],
      'unknown_ca',
      '"CN=Test Intermediate" allows no more than 0 authorities below it',
    ],
    [
      'for clients',
      ['client-p256', 'intermediate'],
      'unsupported_certificate',
      '"CN=Client p256" is for another purpose (extKeyUsage)',
    ],
    [
      'below an authority for clients',
      ['below-client-only', 'client-only'],
      'unsupported_certificate',
      '"CN=Client Authority" is for another purpose (extKeyUsage)',
    ],
    [
      'not for signatures',
      ['encipher-only', 'intermediate'],
      'unsupported_certificate',
      '"CN=Key Agreement" may not sign (keyUsage)',
    ],
    [
      'with an unknown critical extension',
      ['critical', 'intermediate'],
      'bad_certificate',
      '"CN=Critical" has critical extensions that are not understood: 1.3.6.1.4.1.55738.666.1',
    ],
    [
      'with RSA of 1024 bits',
      ['weak-key', 'intermediate'],
      'unsupported_certificate',
      '"CN=Weak Key" has a key that is too weak, too long or of an unknown kind',
    ],
    [
      'signed with SHA-1',
      ['weak-signature', 'intermediate'],
      'bad_certificate',
      '"CN=Weak Signature" is signed by a weak or unknown algorithm',
    ],
  ])('refuses a certificate %s', (_, names, alert, reason) => {
    expect(judge(names)).toEqual({ accepted: false, alert, reason });
  });

  it.each([
    ['permitted', 'www.example.com', true],
    ['permitted', '10.1.2.3', true],
    ['not-permitted', 'www.example.org', false],
    ['not-permitted-address', '192.0.2.1', false],
    ['excluded', 'very.secret.example.com', false],
  ])('name constraints: %s for %s', (name, host, accepted) => {
    expect(judge([name, 'constrained'], { host })).toMatchObject(
      accepted ? { accepted } : { accepted, alert: 'certificate_unknown' },
    );
  });

  it.each([
    ['www.example.com', true],
    ['WWW.EXAMPLE.COM', true],
    ['example.com', false],
    ['a.b.example.com', false],
    ['foo.example.org', false],
  ])('a wildcard is the whole left-most label: %s', (host, accepted) => {
    expect(judge(['wildcard', 'intermediate'], { host })).toMatchObject({ accepted });
  });

  it.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['127.0.0.2', false],
  ])('addresses are proven by iPAddress: %s', (host, accepted) => {
    expect(judge(['p256', 'intermediate'], { host })).toMatchObject({ accepted });
  });

  it('asks a client for its purpose and not for a name, a server for a name', () => {
    expect(judge(['client-p256', 'intermediate'], { role: 'client' })).toMatchObject({ accepted: true });
    expect(judge(['p256', 'intermediate'], { role: 'client' })).toMatchObject({ alert: 'unsupported_certificate' });
    const unnamed = nodeVerifier({ ca, now: () => now });
    const question = { certificates: ['p256', 'intermediate'].map(der), role: 'server', resumed: false } as const;
    expect(unnamed({ ...question, serverName: undefined })).toMatchObject({
      reason: 'no name is known that the server should prove',
    });
    expect(unnamed({ ...question, serverName: 'server.example' })).toMatchObject({ accepted: true });
  });

  it('reads bytes that are no certificate as bad_certificate, and passes over those behind the leaf', () => {
    const verifier = nodeVerifier({ ca, now: () => now, host: 'localhost' });
    const question = { role: 'server', serverName: undefined, resumed: false } as const;
    const garbage = Uint8Array.of(0x30, 3, 2, 1, 1);
    expect(verifier({ ...question, certificates: [garbage] })).toMatchObject({ alert: 'bad_certificate' });
    expect(verifier({ ...question, certificates: [] })).toMatchObject({ alert: 'bad_certificate' });
    const chain = [der('p256'), garbage, der('intermediate')];
    expect(verifier({ ...question, certificates: chain })).toMatchObject({ accepted: true });
    const long = [...chain, ...Array.from({ length: maxCertificates }, () => garbage)];
    expect(verifier({ ...question, certificates: long })).toMatchObject({ reason: 'there are too many certificates' });
  });

  it('remembers an accepted chain for as long as all of it is valid, and judges the name each time', () => {
    let time = now;
    const verifier = nodeVerifier({ ca, now: () => time });
    const ask = (serverName: string) =>
      verifier({ certificates: ['p256', 'intermediate'].map(der), role: 'server', serverName, resumed: false });
    const first = ask('localhost');
    expect(ask('localhost')).toBe(first);
    expect(ask('elsewhere.example')).toMatchObject({ accepted: false, alert: 'bad_certificate' });
    time = Date.UTC(2126, 0, 2);
    expect(ask('localhost')).toMatchObject({ accepted: false, alert: 'certificate_expired' });
    time = now;
    expect(ask('localhost')).toEqual(first);
    expect(ask('localhost')).not.toBe(first);
  });

  it('holds no more verdicts than it is told', () => {
    const verifier = nodeVerifier({ ca, now: () => now, host: 'localhost', maxVerdicts: 1 });
    const ask = (name: string) =>
      verifier({
        certificates: [name, 'intermediate'].map(der),
        role: 'server',
        serverName: undefined,
        resumed: false,
      });
    const first = ask('p256');
    expect(ask('p256')).toBe(first);
    ask('p384');
    expect(ask('p256')).not.toBe(first);
  });

  it('refuses a leaf whose key cannot be read, and passes over such a certificate among the others', () => {
    const verifier = nodeVerifier({ ca, now: () => now, host: 'localhost' });
    const ask = (...certificates: Uint8Array[]) =>
      verifier({ certificates, role: 'server', serverName: undefined, resumed: false });
    const broken = withUnreadableKey(der('p256'));
    expect(() => new X509Certificate(broken).publicKey).toThrow('decode error');
    expect(ask(broken, der('intermediate'))).toMatchObject({ accepted: false, alert: 'bad_certificate' });
    expect(ask(der('p256'), withUnreadableKey(der('intermediate')))).toMatchObject({ alert: 'unknown_ca' });
    expect(ask(der('p256'), broken, der('intermediate'))).toMatchObject({ accepted: true });
  });

  it('refuses authorities that are none', () => {
    expect(() => nodeVerifier({ ca: 'hello' })).toThrow('`ca` holds no certificate');
    expect(() => nodeVerifier({ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' })).toThrow(
      'a certificate in PEM cannot be read',
    );
  });

  it('trusts the roots of Node.js by default, and none of these', () => {
    const verifier = nodeVerifier({ now: () => now, host: 'localhost' });
    const question = { role: 'server', serverName: undefined, resumed: false } as const;
    expect(verifier({ ...question, certificates: ['p256', 'intermediate', 'root'].map(der) })).toMatchObject({
      alert: 'unknown_ca',
    });
  });
});

describe('acceptAnyCertificateForTesting', () => {
  it('takes what the verifier refuses, and bytes that are no certificate it does not', () => {
    const verifier = acceptAnyCertificateForTesting();
    const question = { role: 'server', serverName: undefined, resumed: false } as const;
    expect(verifier({ ...question, certificates: [der('expired')] })).toMatchObject({
      accepted: true,
      publicKey: { kind: 'ecdsa', curve: 'secp256r1' },
    });
    expect(verifier({ ...question, certificates: [Uint8Array.of(1)] })).toMatchObject({ alert: 'bad_certificate' });
  });
});
