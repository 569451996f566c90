/** Every alert that our code can send is provoked, and none is left over: the sources are searched for what throws one. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AlertError, DecodeError } from '../../src/errors.js';
import { alertsOf } from '../support/traffic.js';
import { clientCases } from './alerts/client.js';
import { connectionCases } from './alerts/connection.js';
import { serverCases } from './alerts/server.js';

const alertCases = [...clientCases, ...serverCases, ...connectionCases];
const seen: string[] = [];

it('no two cases have one name', () => {
  const names = alertCases.map(({ name, target }) => `${target}: ${name}`);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe.each(['client', 'server'] as const)('the %s answers', (role) => {
  const cases = alertCases.filter(({ target }) => target === role);

  it.each(cases.map((each) => [each.name, each.alert, each] as const))(
    '%s with %s',
    (_, alert, { run, code, path }) => {
      const replay = run();
      const said = alertsOf(replay.said());
      const close = replay.events().filter((event) => event.type === 'close');
      expect(close).toMatchObject([
        {
          reason: 'error',
          error: { name: path === undefined ? 'AlertError' : 'DecodeError', alert, code: code ?? alert },
        },
      ]);
      expect(said.filter((line) => line.startsWith('fatal'))).toEqual([`fatal ${alert}`]);
      expect(said.at(-1)).toBe(`fatal ${alert}`);
      const { error } = close[0]!;
      if (!(error instanceof AlertError)) throw new Error('no AlertError');
      if (path !== undefined) expect(error instanceof DecodeError && error.path).toBe(path);
      seen.push(error.message);
    },
  );
});

/** What throws an alert and is provoked by other tests, or by none. */
const elsewhere: Readonly<Record<string, string>> = {
  'got more than one flight before it was our turn': 'connection/limits.test.ts',
  'the answer to ${need} failed': 'connection/answers.test.ts',
  'a handshake step came before its time': 'unreachable: a flow sets what it uses',
};

it('every place in the sources that throws an alert is reached', () => {
  const missing = throwSites().filter((message) => {
    const parts = message.split(/\$\{[^}]*(?:\}|$)/).map((part) => part.replace(/[^a-zA-Z0-9 ]/g, '\\$&'));
    const pattern = new RegExp(`^${parts.join('.*')}`);
    return !seen.some((text) => pattern.test(text)) && !Object.hasOwn(elsewhere, message);
  });
  expect(missing).toEqual([]);
});

/** The beginnings of the messages of all `new AlertError(alert, message)` in handshake, connection and record. */
function throwSites(): string[] {
  const sources = new URL('../../src/', import.meta.url);
  return ['handshake', 'connection', 'record'].flatMap((room) =>
    readdirSync(new URL(`${room}/`, sources)).flatMap((file) => {
      const source = readFileSync(new URL(`${room}/${file}`, sources), 'utf8');
      return [...source.matchAll(/new AlertError\(\s*[^,]+,\s*(?:'([^']*)'|`([^`']*))/g)].map(
        ([, quoted, template]) => quoted ?? template ?? '',
      );
    }),
  );
}
