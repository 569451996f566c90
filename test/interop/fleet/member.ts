/**
 * One server of ours as a process of its own, whose ticket keys are those of a file that is replaced while it runs. Says when another
 * key seals, and on a line of standard input which keys it has and what became of those that it had.
 */
import { createInterface } from 'node:readline';
import { nodeCrypto, watchKeyFiles } from '../../../src/adapters/node/index.js';
import { toHex } from '../../../src/bytes.js';
import { fleetTickets, nginxTarget } from '../../../src/targets/index.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import type { TicketKeyStatus } from '../../../src/tickets/ring-key.js';
import { startOurs } from './ours.js';

/** A key as the process tells of it. */
export interface MemberKey extends Pick<TicketKeyStatus, 'state' | 'seals' | 'sealed' | 'opened' | 'renewed'> {
  /** In hex. */
  readonly name: string;
}

export interface MemberStatus {
  readonly keys: readonly MemberKey[];
  /** Those that were taken out, with the counters that they had then. */
  readonly removed: readonly MemberKey[];
  /** With files. */
  readonly problems: readonly string[];
}

const [port = '0', keyFile = '', serverCertificate = ''] = process.argv.slice(2);

const ring = new KeyRing({ crypto: nodeCrypto, now: Date.now });
const removed: MemberKey[] = [];
ring.subscribe(({ type, key }) => {
  if (type === 'removed') removed.push(told(key));
  if (type === 'seals') console.log(`seals ${toHex(key.name)}`);
});
const problems: string[] = [];
await watchKeyFiles({
  paths: keyFile,
  layout: 'haproxy80',
  ring,
  onError: ({ message }) => problems.push(message),
}).reload();

const target = nginxTarget({ serverCertificates: [Buffer.from(serverCertificate, 'base64')] });
await startOurs(fleetTickets({ members: [{ target, keys: ring }] }), {}, Number(port));
console.log('listening');

createInterface({ input: process.stdin }).on('line', () => {
  const status: MemberStatus = { keys: ring.status().map(told), removed, problems };
  console.log(`status ${JSON.stringify(status)}`);
});

function told({ name, state, seals, sealed, opened, renewed }: TicketKeyStatus): MemberKey {
  return { name: toHex(name), state, seals, sealed, opened, renewed };
}
