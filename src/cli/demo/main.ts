/**
 * `npm run demo [-- --json]`: resumption in TLS 1.2 and 1.3 on loopback, drawn from the bytes that passed. First with this library
 * on both sides, then the round trips of each handshake, and where there is an `openssl` program all of it with that on either side.
 *
 * Exit status 0 only if every connection was what it should be.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import certificates from '../../../vectors/captures/certificates.json' with { type: 'json' };
import { opensslVersion } from './openssl.js';
import { tls13AgainstOurselves } from './ourselves-tls13.js';
import { againstOurselves } from './ourselves.js';
import { Report } from './report.js';
import { measureRoundTrips } from './round-trips.js';
import { tls13AgainstOpenssl } from './with-openssl-tls13.js';
import { againstOpenssl } from './with-openssl.js';

const identity = {
  ca: certificates.ca.certificatePem,
  cert: certificates.ecdsa.certificatePem,
  key: certificates.ecdsa.privateKeyPem,
};

async function demo(json: boolean): Promise<number> {
  const report = new Report(json);
  await againstOurselves(report, identity);
  await tls13AgainstOurselves(report, identity);
  measureRoundTrips(report, identity);
  const openssl = opensslVersion();
  if (openssl === undefined) report.note('No `openssl` program here: its half of the demonstration is left out.');
  else {
    const folder = mkdtempSync(join(tmpdir(), 'tls-resume-demo-'));
    try {
      for (const [name, pem] of Object.entries(identity)) writeFileSync(join(folder, `${name}.pem`), pem);
      await againstOpenssl(report, identity, folder, openssl);
      await tls13AgainstOpenssl(report, identity, folder, openssl);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return report.finish();
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help)
  console.log('npm run demo [-- --json]\n\n  --json  one JSON line for each connection in place of the figures');
else {
  try {
    process.exitCode = await demo(values.json);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
