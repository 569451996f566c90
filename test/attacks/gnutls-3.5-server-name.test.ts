/** GnuTLS until 3.5: sessions were resumed under another server name than their own. */
import { describe, expect, it } from 'vitest';
import { clearItems, connectSync, kinds, makeWorld, messageIn, offer, outcome } from '../support/attack-rig.js';
import type { Pair } from '../support/connections.js';

const names = [undefined, 'a.example', 'b.example'] as const;
const pairs = names.flatMap((made) => names.map((offered) => ({ made, offered })));

describe.each(kinds)('server_name of session and hello (%s)', (kind) => {
  it.each(pairs)('R6066-3-4 R6066-3-5 made with $made, offered with $offered', ({ made, offered }) => {
    const world = makeWorld(kind);
    const first = connectSync(world.client({ serverName: made }), world.server());
    const second = offer(first, world.client({ serverName: offered }), world.server());
    const resumed = made === offered;
    expect(outcome(second)).toBe(resumed ? kind : 'full: server_name_mismatch');
    // In TLS 1.3 the answer is encrypted, and the same in a resumption.
    if (kind === 'psk') return;
    expect(acknowledgesName(first)).toBe(made !== undefined);
    expect(acknowledgesName(second)).toBe(!resumed && offered !== undefined);
  });
});

function acknowledgesName(pair: Pair): boolean {
  const [hello] = clearItems(pair, 'server').map(messageIn);
  return hello?.type === 'server_hello' && (hello.body.extensions ?? []).some(({ type }) => type === 'server_name');
}
