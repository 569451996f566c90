/**
 * X25519 exchanges in one process, for the hang of Node 20 that src/crypto/node-key-share.ts tells of: it needs a garbage
 * collection in the middle of an export, and shows after some ten or hundred thousand exchanges. `EXCHANGES` sets how
 * many; one takes about 200 us of CPU time.
 */
import { expect, it } from 'vitest';
import { equal } from '../../src/bytes.js';
import { nodeCrypto } from '../../src/crypto/node.js';

const exchanges = Number(process.env['EXCHANGES'] ?? 1_000_000);

it(`P16: ${exchanges} X25519 exchanges through the node backend end, and agree`, async () => {
  expect(exchanges).toBeGreaterThan(0);
  let agreed = 0;
  // Garbage of the size of a handshake's, so that collections fall everywhere.
  let garbage: Uint8Array[] = [];
  for (let i = 0; i < exchanges; i++) {
    const client = await nodeCrypto.generateKeyShare('x25519');
    const server = await nodeCrypto.generateKeyShare('x25519');
    const [a, b] = [await client.agree(server.publicKey), await server.agree(client.publicKey)];
    if (a !== undefined && b !== undefined && equal(a, b)) agreed++;
    garbage.push(new Uint8Array(2048));
    if (garbage.length === 1000) garbage = [];
  }
  expect(agreed).toBe(exchanges);
});
