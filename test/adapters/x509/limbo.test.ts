import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeVerifier } from '../../../src/adapters/x509/node-verifier.js';

interface Case {
  readonly id: string;
  readonly role: 'server' | 'client';
  readonly expected: 'success' | 'failure';
  readonly peerName: string | null;
  readonly time: string | null;
  readonly trusted: readonly number[];
  readonly leaf: number;
  readonly others: readonly number[];
}

const { cases, certificates } = JSON.parse(
  readFileSync(new URL('../../../vectors/x509-limbo/limbo.json', import.meta.url), 'utf8'),
) as { cases: readonly Case[]; certificates: readonly string[] };

/** Where we differ, and why. Everything else is as Limbo has it. */
const differences: Readonly<Record<string, readonly string[]>> = {
  'a rule for authorities (RFC 5280 "conforming CAs MUST"), which Go, OpenSSL and webpki do not enforce either': [
    'rfc5280::aki::leaf-missing-aki',
    'rfc5280::aki::intermediate-missing-aki',
    'rfc5280::aki::cross-signed-root-missing-aki',
    'rfc5280::nc::permitted-dns-match-noncritical',
    'rfc5280::nc::not-allowed-in-ee-noncritical',
    'rfc5280::nc::not-allowed-in-ee-critical',
    'rfc5280::pc::ica-noncritical-pc',
    'rfc5280::san::noncritical-with-empty-subject',
    'rfc5280::san::underscore-dns',
    'rfc5280::serial::too-long',
    'rfc5280::serial::zero',
    'rfc5280::ski::root-missing-ski',
    'rfc5280::ski::intermediate-missing-ski',
    'rfc5280::ca-empty-subject',
    'rfc5280::root-non-critical-basic-constraints',
  ],
  'a rule of the CA/Browser Forum for public authorities': [
    'webpki::aki::root-with-aki-missing-keyidentifier',
    'webpki::aki::root-with-aki-authoritycertissuer',
    'webpki::aki::root-with-aki-authoritycertserialnumber',
    'webpki::aki::root-with-aki-all-fields',
    'webpki::aki::root-with-aki-ski-mismatch',
    'webpki::cn::ipv4-hex-mismatch',
    'webpki::cn::ipv4-leading-zeros-mismatch',
    'webpki::cn::ipv6-uppercase-mismatch',
    'webpki::cn::ipv6-uncompressed-mismatch',
    'webpki::cn::ipv6-non-rfc5952-mismatch',
    'webpki::cn::punycode-not-in-san',
    'webpki::cn::utf8-vs-punycode-mismatch',
    'webpki::cn::not-in-san',
    'webpki::cn::case-mismatch',
    'webpki::eku::ee-anyeku',
    'webpki::eku::ee-critical-eku',
    'webpki::eku::ee-without-eku',
    'webpki::eku::root-has-eku',
    'webpki::nc::intermediate-permitted-excluded-subtrees-both-null',
    'webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences',
    'webpki::san::public-suffix-multi-label-wildcard-san',
    'webpki::san::public-suffix-private-namespace-wildcard-san',
    'webpki::san::san-critical-with-nonempty-subject',
    'webpki::forbidden-rsa-not-divisible-by-8-in-root',
    'webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf',
  ],
  'the key of an authority, whose keyUsage lets it sign certificates and nothing else, signs no handshake': [
    'pathlen::validation-ignores-pathlen-in-leaf',
    'rfc5280::ca-as-leaf',
  ],
  'constraints on mail addresses are not processed, so a certificate that has some is refused': [
    'rfc5280::nc::nc-permits-email-exact',
    'rfc5280::nc::nc-permits-email-domain',
    'rfc5280::nc::nc-permits-email-literal-asterisk-exact-match',
    'rfc5280::nc::nc-permits-email-literal-double-asterisk',
    'rfc5280::nc::nc-permits-email-literal-mid-asterisk',
  ],
  'an authority may serve as well, as it may for Go and OpenSSL: `openssl req -x509` makes such certificates': [
    'webpki::ee-basicconstraints-ca',
  ],
  'an extension that has no part in the verdict is not read': ['webpki::malformed-aia'],
  'a server has to prove a name, and this case names none': ['rfc5280::nc::permitted-dn-match'],
};
const different = new Set(Object.values(differences).flat());

describe('X.509 Limbo', () => {
  it.each(cases)('$id', ({ id, role, expected, peerName, time, trusted, leaf, others }) => {
    const der = (index: number) => Buffer.from(certificates[index]!, 'base64');
    const ca = trusted.map(
      (index) => `-----BEGIN CERTIFICATE-----\n${certificates[index]!}\n-----END CERTIFICATE-----`,
    );
    const now = time === null ? Date.UTC(2026, 10, 21) : Date.parse(time);
    const verdict = () =>
      nodeVerifier({ ca, now: () => now })({
        role,
        certificates: [leaf, ...others].map(der),
        serverName: peerName ?? undefined,
        resumed: false,
      });
    const opposite = expected === 'success' ? 'failure' : 'success';
    expect(outcome(verdict)).toBe(different.has(id) ? opposite : expected);
  });

  it('differs where the list says and nowhere else', () => {
    expect([...different].filter((id) => !cases.some((each) => each.id === id))).toEqual([]);
  });
});

/** Trust anchors that cannot be used are a mistake of the configuration. */
function outcome(verdict: () => unknown): 'success' | 'failure' {
  try {
    const { accepted } = verdict() as { accepted: boolean };
    return accepted ? 'success' : 'failure';
  } catch (error) {
    expect(error).toMatchObject({ name: 'UsageError', code: 'invalid_option' });
    return 'failure';
  }
}
