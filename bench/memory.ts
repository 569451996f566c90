/**
 * What an open connection holds while nothing happens: bytes of one end, in JavaScript's heap and in arrays beside it. The
 * resident size is there too; it counts what OpenSSL allocates behind Node's objects.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CryptoBackend } from '../src/crypto/backend.js';
import type { SupportedCipherSuite } from '../src/index.js';
import { connectInMemory, settingsFor, type Kind } from './handshakes.js';
import { nodeTlsPairs, type PeerKind } from './peers.js';

export interface Footprint {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

const pairs = 1000;

export function idleConnection(crypto: CryptoBackend, suite: SupportedCipherSuite, kind: Kind): Promise<Footprint> {
  const settings = settingsFor(crypto, suite, kind);
  return footprint(() => connectInMemory(settings));
}

export function nodeTlsIdleConnection(kind: PeerKind): Promise<Footprint> {
  const connectPair = nodeTlsPairs(kind);
  return footprint(() => connectPair());
}

async function footprint(connect: () => unknown): Promise<Footprint> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const settled = async () => {
    // Twice, with a turn of the event loop between: what finalizers let go of is collected by the second.
    for (let i = 0; i < 2; i++) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heap: heapUsed + external, rss };
  };
  for (let i = 0; i < pairs; i++) await connect();
  const before = await settled();
  const kept: unknown[] = [];
  for (let i = 0; i < pairs; i++) kept.push(await connect());
  const after = await settled();
  const ends = 2 * kept.length;
  return { heapBytes: (after.heap - before.heap) / ends, residentBytes: (after.rss - before.rss) / ends };
}
