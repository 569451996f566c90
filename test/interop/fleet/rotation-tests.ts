/** What has to hold of a rotation under load, for a short run and a long one. */
import { beforeAll, expect, it } from 'vitest';
import { describeWithPeer } from '../../support/peers.js';
import type { MemberKey } from './member.js';
import { rotateUnderLoad, type RotationResult } from './rotation.js';

export function describeRotation(seconds: number): void {
  describeWithPeer(
    'nginx',
    `keys rotated every second for ${seconds} seconds, three servers of ours and nginx`,
    (peer) => {
      let result: RotationResult;
      beforeAll(async () => {
        result = await rotateUnderLoad(peer, seconds);
        process.stdout.write(table(result));
      });

      it.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: no handshake fails, and at least 99 in 100 resume', (version) => {
        const { offered, resumed, failures, full } = result.loads[version];
        expect(failures).toEqual([]);
        expect(offered).toBeGreaterThan(10 * seconds);
        expect([resumed / offered >= 0.99, full.slice(0, 10)]).toEqual([true, expect.anything()]);
      });

      it('every server had its share of the connections', () => {
        for (const count of result.counts) expect(count).toBeGreaterThanOrEqual(Math.min(...result.counts));
        expect(Math.max(...result.counts) - Math.min(...result.counts)).toBeLessThanOrEqual(1);
      });

      it('R5077-3.2-5 R8446-4.2.11-7 a ticket whose key has left is a full handshake, everywhere', () => {
        expect(result.late.map(({ handshake: { mode } }) => mode)).toEqual(Array(8).fill('full'));
        // Three servers of ours say why, and nginx says no more than that.
        expect(result.late.map(({ theirs }) => theirs.reason ?? theirs.reused)).toEqual(
          [1, 2].flatMap(() => [...Array<string>(3).fill('unknown_key_name'), '.']),
        );
      });

      it('P-key-6 R9325-3.4-3 every key that sealed was used, and left the ring when its turn was over', () => {
        const { members, published } = result;
        const last = published.slice(-3);
        for (const { keys, removed, problems } of members) {
          expect(problems).toEqual([]);
          expect(new Set(keys.map(({ name }) => name))).toEqual(new Set(last));
          expect(
            keys.map(({ name, seals, state }) => [published.indexOf(name) - published.length, seals, state]),
          ).toEqual([
            [-2, true, 'active'],
            [-1, false, 'future'],
            [-3, false, 'active'],
          ]);
          expect(removed.map(({ name }) => name)).toEqual(published.slice(0, -3));
          expect(removed.every(({ state }) => state === 'expired')).toBe(true);
        }
        const all = members.flatMap(({ keys, removed }) => [...removed, ...keys]);
        const sum = (name: string, counter: keyof Pick<MemberKey, 'sealed' | 'opened' | 'renewed'>) =>
          all.filter((key) => key.name === name).reduce((total, key) => total + key[counter], 0);
        // The first was the one before from the beginning, and the last is still the next one.
        for (const name of published.slice(1, -1))
          expect([name, sum(name, 'sealed') > 0, sum(name, 'opened') > 0]).toEqual([name, true, true]);
        expect(sum(published[0]!, 'sealed') + sum(published.at(-1)!, 'sealed')).toBe(0);
      });
    },
  );
}

function table({ loads, counts, lags, published, members }: RotationResult): string {
  const rows = Object.entries(loads).map(([version, { offered, resumed, full, failures }]) =>
    [version, offered, resumed, ((100 * resumed) / offered).toFixed(2), full.length, failures.length].join(' | '),
  );
  const renewed = members
    .flatMap(({ keys, removed }) => [...keys, ...removed])
    .reduce((sum, key) => sum + key.renewed, 0);
  return [
    'version | offered | resumed | % | full | failed',
    ...rows,
    `connections by server: ${counts.join(', ')}; keys: ${published.length}; tickets renewed by ours: ${renewed}`,
    `from a new file to the last server that uses it: ${lags[0] ?? 0} ms at most, ${lags[lags.length >> 1] ?? 0} ms in the middle`,
    '',
  ].join('\n');
}
