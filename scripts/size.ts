/**
 * Size budgets: what one entry point costs a web page that imports everything from it, minified and gzipped, packages
 * included. Run after `npm run build`; ends with status 1 when a budget is exceeded.
 */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Bytes: what there was when it was set, and a tenth. Raise one in the change that needs it, and say there why. */
const budgets: Readonly<Record<string, number>> = {
  // Two versions of the protocol in both roles, and half of it is the noble backend, which is the default. What BoringSSL's runner
  // asks for is in it since: ECDHE_PSK, stapling, GREASE, signature schemes, wiping on every way out.
  'tls-resume': 85_700,
  // The same handshakes without records, and without the backend, which comes with the settings.
  'tls-resume/quic': 39_900,
  'tls-resume/messages': 11_000,
  // Layouts and key files of 20 kinds of servers, with hashes and modes that nothing else needs. Who takes a ring, a sealer and one
  // layout carries 4.7 KB. Keys over Redis, with the circuit breaker, are 3 KB more.
  'tls-resume/tickets': 37_900,
  // All of these, the states inside, and the default backend to look into tickets with.
  'tls-resume/targets': 57_500,
  // With the names of suites, groups and signature schemes, which sessions and the states of other servers are written in. Since the stores
  // on Redis and memcached and the pool of tickets a quarter more; a store on Redis alone is 4.2 KB.
  'tls-resume/sessions': 20_200,
  // The guard in Redis, its script and the circuit breaker are half of it.
  'tls-resume/early-data': 4_600,
  'tls-resume/crypto/noble': 34_000,
  // The library comes in whole: it is imported when it is there, and asked for by name when it is not.
  'tls-resume/crypto/noble-rsa': 41_000,
  // ML-KEM and ML-DSA; the library's parts for the two have little in common.
  'tls-resume/crypto/noble-post-quantum': 15_300,
  'tls-resume/crypto/node': 14_500,
  // The root and its backend, asn1js, a sixth of it, which reads the extensions of certificates that node:crypto keeps to itself,
  // and since ECDHE_PSK and stapling the callbacks of node:tls for them; since tickets of node:tls their layout and state, and key files.
  'tls-resume/node': 139_500,
};

for (const [specifier, budget] of Object.entries(budgets)) {
  const bundle = await build({
    stdin: { contents: `export * from '${specifier}';`, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['node:*'],
    write: false,
    logLevel: 'silent',
  });
  const size = bundle.outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
  const verdict = size > budget ? 'OVER BUDGET' : '';
  if (size > budget) process.exitCode = 1;
  console.log(
    `${specifier.padEnd(38)}${String(size).padStart(8)} of ${String(budget).padStart(8)} bytes  ${verdict}`.trimEnd(),
  );
}
