/**
 * Key files in every layout: keys or a `UsageError`, the file untouched, a lint that sees an error where nothing is read, and keys that are
 * the same once they are written and read again.
 */
import { equal, fromHex } from '../../../src/bytes.js';
import { UsageError } from '../../../src/errors.js';
import { formatTicketKeys } from '../../../src/tickets/key-files/format.js';
import { keyFileLayout, keyFileLayouts, type KeyFileLayoutName } from '../../../src/tickets/key-files/layouts.js';
import { lintTicketKeys } from '../../../src/tickets/key-files/lint.js';
import { parseTicketKeys } from '../../../src/tickets/key-files/parse.js';
import { secretParts, type TicketKey } from '../../../src/tickets/ticket-key.js';
import { lazily, rule, seed, type FuzzTarget } from '../target.js';
import { ticketSamples } from '../../support/ticket-samples.js';

const layouts = Object.keys(keyFileLayouts) as KeyFileLayoutName[];

const seeds = lazily(() => {
  const files = new Map<string, Uint8Array>();
  for (const [, { keyFileLayout: layout, keyFileHex }] of ticketSamples())
    if (layout !== undefined && keyFileHex !== undefined)
      files.set(layout === 'h2o YAML' ? 'h2o' : layout, fromHex(keyFileHex));
  const keys = ['nginx48', 'nginx80'].flatMap((layout) =>
    parseTicketKeys(layout as KeyFileLayoutName, files.get(layout) ?? []),
  );
  for (const key of keys) {
    for (const layout of ['h2o', 'json', 'envoyJson', 'haproxy48', 'haproxy80'] as const) {
      const three = [key, { ...key, sealsFrom: Infinity }, key];
      const file = keysOf(() => formatTicketKeys(layout, keyFileLayout(layout).keyCount[0] === 3 ? three : [key]));
      if (file?.[0] !== undefined)
        files.set(`${layout} ${String(key.name.length + secretParts(key)[0]!.length)}`, file[0]);
    }
  }
  return [...files].map(([layout, file]) => seed([layouts.findIndex((name) => layout.startsWith(name))], file));
});

/** `undefined` where the files are refused. */
function keysOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    rule(error instanceof UsageError, `got ${String(error)}, expected a UsageError`);
    rule(error.cause === undefined, 'a refusal has no cause, which might quote the file');
    return undefined;
  }
}

function same(one: TicketKey, other: TicketKey): boolean {
  const [parts, others] = [secretParts(one), secretParts(other)];
  return equal(one.name, other.name) && parts.every((part, i) => equal(part, others[i] ?? new Uint8Array(0)));
}

export const keyFileTarget: FuzzTarget = {
  name: 'key-files',
  seeds,
  run: (data) => {
    const layout = layouts[(data[0] ?? 0) % layouts.length] ?? 'nginx48';
    const file = data.slice(1);
    const findings = lintTicketKeys(layout, file);
    const keys = keysOf(() => parseTicketKeys(layout, file));
    rule(equal(file, data.subarray(1)), 'a file stays as it is');
    for (const { message } of findings) rule(message.length < 300, 'a message quotes nothing');
    if (keys === undefined) {
      rule(
        layout === 'gnutls64' || findings.some(({ severity }) => severity === 'error'),
        'what is not read is an error',
      );
      return;
    }
    rule(keys.length > 0, 'a file that is read has keys');
    for (const other of ['json', layout] as const) {
      const files = keysOf(() => formatTicketKeys(other, keys, { now: 0 }));
      if (files === undefined) continue;
      const again = parseTicketKeys(other, files);
      // Those that have expired at `now` are left out, and of the others only the order may differ.
      for (const key of again)
        rule(
          keys.some((given) => same(given, key)),
          'what is written is read again',
        );
    }
  },
};
