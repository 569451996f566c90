/** QUIC handshakes under bytes that nobody should send: a number for CONNECTION_CLOSE, and never an exception. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { EncryptionLevel } from '../../src/connection/quic.js';
import { drainQuic, fate, hear, makeQuicWorld, quicEvents, type QuicEnd } from '../support/quic.js';

const world = makeQuicWorld();
const levels: readonly EncryptionLevel[] = ['initial', 'early', 'handshake', 'application'];

/** What happens to the n-th piece of CRYPTO data: bits change, bytes are lost or come in addition, at its own level or another. */
const anyDamage = fc.record({
  piece: fc.nat(5),
  at: fc.nat(),
  mask: fc.integer({ min: 0, max: 255 }),
  drop: fc.nat(20),
  extra: fc.uint8Array({ maxLength: 40 }),
  level: fc.option(fc.constantFrom(...levels), { freq: 5 }),
});

function damaged(
  data: Uint8Array,
  { at, mask, drop, extra }: { at: number; mask: number; drop: number; extra: Uint8Array },
) {
  const place = at % data.length;
  const changed = [...data];
  changed[place]! ^= mask;
  changed.splice(place + 1, drop, ...extra);
  return Uint8Array.from(changed);
}

/** Told once, and silent for ever after. */
function expectOrderly(end: QuicEnd): void {
  const closes = quicEvents(end, 'close');
  expect(closes.length).toBe(end.quic.state === 'closed' ? 1 : 0);
  expect(fate(end)).toMatch(/^(nothing|full|psk_dhe_ke|close 0x(a|1[0-9a-f]{2}))$/);
  // Nothing that a peer does is a fault of ours.
  expect(closes.map(({ error }) => error.code)).not.toContain('internal_error');
  drainQuic(end);
  const told = end.events.length;
  if (end.quic.state !== 'closed') return;
  end.quic.receive('initial', ascii('more'));
  expect([drainQuic(end), end.events.length]).toEqual([[], told]);
}

it('damaged CRYPTO data', () => {
  const session = world.session();
  fc.assert(
    fc.property(fc.array(anyDamage, { minLength: 1, maxLength: 3 }), fc.boolean(), (damages, resumes) => {
      const { client, server } = world.pair(resumes ? { session, earlyData: true } : {});
      let pieces = 0;
      for (let moved = true; moved;) {
        moved = false;
        for (const [from, to] of [[client, server] as const, [server, client] as const])
          for (const { level, data } of drainQuic(from)) {
            moved = true;
            const damage = damages.find(({ piece }) => piece === pieces);
            pieces++;
            if (damage === undefined) hear(to, level, data);
            else if (damage.level === null) hear(to, level, damaged(data, damage));
            else {
              to.quic.receive(damage.level, damaged(data, damage));
              to.events.push(...to.quic.takeEvents());
            }
          }
      }
      expectOrderly(client);
      expectOrderly(server);
    }),
    { numRuns: 150 },
  );
});
