/** Verdicts for the stand-ins of credentials.ts, by who is meant. */
import { equal } from '../../src/bytes.js';
import type { CertificateVerdict, CertificateVerifier, Credentials } from '../../src/handshake/settings.js';
import { trustingVerifier } from './credentials.js';

/** An authority that issued these certificates and no others. */
export function acceptingOnly(...issued: readonly Credentials[]): CertificateVerifier {
  return (question) => {
    const [shown] = question.certificates;
    const known = issued.some(({ certificates: [leaf] }) => shown && leaf && equal(shown, leaf));
    return known ? trustingVerifier(question) : refusal('unknown_ca');
  };
}

export function refusal(alert: 'unknown_ca' | 'certificate_revoked' | 'certificate_expired'): CertificateVerdict {
  return { accepted: false, alert, reason: `refused by a test: ${alert}` };
}
