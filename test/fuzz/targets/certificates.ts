/**
 * Certificates and what is made of them. Bytes that are no certificate are `undefined`, PEM that cannot be used is a `UsageError`, and
 * a verifier answers whatever chain it is shown; a chain with a changed byte in its leaf is never accepted.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ascii, equal } from '../../../src/bytes.js';
import { readCertificate } from '../../../src/adapters/x509/certificate.js';
import {
  certificatePublicKey,
  certificatesFromPem,
  credentialsFromPem,
  parseCertificate,
} from '../../../src/adapters/x509/credentials.js';
import { acceptAnyCertificateForTesting, nodeVerifier } from '../../../src/adapters/x509/node-verifier.js';
import { UsageError } from '../../../src/errors.js';
import { ca, der, identity, pem } from '../../support/certificates.js';
import { Decisions, rule, seed, type FuzzTarget } from '../target.js';

const limbo = JSON.parse(readFileSync(new URL('../../../vectors/x509-limbo/limbo.json', import.meta.url), 'utf8')) as {
  readonly certificates: readonly string[];
};
const now = () => Date.UTC(2026, 10, 21);

/** Certificates of many kinds, and not too many of them. */
const certificates: readonly Uint8Array[] = [
  ...['p256', 'rsa', 'ed25519', 'constrained', 'intermediate', 'root', 'client-rsa-pss'].map(der),
  ...limbo.certificates.filter((_, i) => i % 8 === 0).map((text) => new Uint8Array(Buffer.from(text, 'base64'))),
].filter(({ length }) => length < 2000);

const own = identity('p256');
const chain = certificatesFromPem(own.cert).map(({ raw }) => new Uint8Array(raw));
const verify = nodeVerifier({ ca, now, maxVerdicts: 0 });
const acceptAny = acceptAnyCertificateForTesting();
const serverName = 'server.example';

/** A chain that is accepted as it is, and what the input makes of it: four bytes a change. */
function verifies(data: Uint8Array): void {
  const decisions = new Decisions(data);
  const role = decisions.pick(['server', 'client'] as const);
  let shown: readonly Uint8Array[] = chain;
  while (!decisions.ended && shown.length < 16) {
    const change = decisions.below(8);
    const at = decisions.number();
    const value = decisions.byte();
    const which = value % (shown.length || 1);
    if (change < 4) shown = shown.map((one, i) => (i === which ? flipped(one, at, 1 << change) : one));
    else if (change === 4) shown = shown.filter((_, i) => i !== which);
    else if (change === 5) shown = [...shown, certificates[at % certificates.length]!];
    else if (change === 6) shown = [certificates[at % certificates.length]!, ...shown];
    else shown = [...shown].reverse();
  }
  const verdict = verify({ role, certificates: shown, serverName, resumed: false });
  rule(!verdict.accepted || isIssued(shown[0]!), 'a leaf is accepted that no trusted authority issued');
  rule(verdict.accepted || shown !== chain || role === 'client', 'the chain as it is');
  acceptAny({ role, certificates: shown, serverName: undefined, resumed: false });
}

/** The certificates above are the only ones that the root has to do with. */
const isIssued = (leaf: Uint8Array): boolean => [...chain, ...certificates].some((one) => equal(one, leaf));

function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  return bytes.map((byte, i) => (i === at % bytes.length ? byte ^ mask : byte));
}

export const certificateTargets: readonly FuzzTarget[] = [
  {
    name: 'certificates',
    seeds: () => certificates,
    run: (data) => {
      const certificate = readCertificate(data);
      const parsed = parseCertificate(data);
      if (certificate === undefined) return;
      rule(parsed !== undefined, 'the same bytes are a certificate for one reader and none for the other');
      rule(certificate.authority || !certificate.x509.ca, 'an authority for OpenSSL alone');
      certificatePublicKey(parsed);
      for (const role of ['server', 'client'] as const)
        rule(
          !verify({ role, certificates: [data], serverName, resumed: false }).accepted || isIssued(data),
          'a certificate that nobody trusts is accepted',
        );
    },
  },
  {
    name: 'certificate-chains',
    seeds: () => [
      seed([0]),
      seed([1]),
      seed([0, 0, 0, 60, 1]),
      seed([0, 5, 0, 4, 0]),
      seed([0, 6, 0, 2, 0]),
      seed([0, 7]),
    ],
    run: verifies,
  },
  {
    name: 'pem',
    seeds: () => [ascii(own.cert), ascii(own.key), ascii(`${pem('ed25519').cert}${pem('ed25519').key}`)],
    run: (data) => {
      const attempt = (make: () => unknown) => {
        try {
          make();
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
      };
      attempt(() =>
        rule(
          certificatesFromPem(data).every((one) => one instanceof X509Certificate),
          'no certificates',
        ),
      );
      attempt(() => credentialsFromPem({ cert: data, key: data }));
      attempt(() => credentialsFromPem({ cert: own.cert, key: data }));
    },
  },
];
