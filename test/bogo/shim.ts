/** The shim that BoringSSL's runner starts for each of its tests: flags in, one connection or several, exit status out. */
import { nodeCrypto } from '../../src/crypto/node.js';
import { UsageError, type CryptoBackend, type Session } from '../../src/index.js';
import { describe, exchange } from './exchange.js';
import { parseFlags, Unimplemented } from './flags.js';
import { makeWorld } from './options.js';

/** PORTING.md of the runner: what a shim does not implement. */
const unimplementedStatus = 89;

async function main(args: readonly string[]): Promise<void> {
  const configurations = parseFlags(args);
  const { initial, resume } = configurations;
  if (initial['is-handshaker-supported'] === true) {
    console.log('No');
    return;
  }
  const world = makeWorld(await backend());
  let session: Session | undefined;
  for (let i = 0; i <= (initial['resume-count'] ?? 0); i++) {
    if (i > 0 && session === undefined && initial.server !== true) throw new Error('there is no session to offer');
    session = await exchange(configurations, world, i > 0, session);
    world.time += ((i > 0 ? resume : initial)['resumption-delay'] ?? 0) * 1000;
  }
}

/** `BOGO_BACKEND`: `node` or `noble`. What is loaded is what is used: a test takes less time than its modules. */
async function backend(): Promise<CryptoBackend> {
  const { withPostQuantum } = await import('../../src/crypto/noble-post-quantum.js');
  if (process.env['BOGO_BACKEND'] !== 'noble') return withPostQuantum(nodeCrypto);
  const { nobleCryptoWithRsa } = await import('../../src/crypto/noble-rsa.js');
  return withPostQuantum(nobleCryptoWithRsa);
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    const missing =
      error instanceof Unimplemented || (error instanceof UsageError && error.code === 'unsupported_by_backend');
    console.error(missing ? `not implemented: ${error.message}` : describe(error));
    process.exit(missing ? unimplementedStatus : 1);
  },
);
