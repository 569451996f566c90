/** Every alert that our code can send is provoked, and none is left over: the sources are searched for what throws one. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AlertError, DecodeError } from '../../src/errors.js';
import { alertsOf } from '../support/traffic.js';
import { clientCases } from './alerts/client.js';
import { connectionCases } from './alerts/connection.js';
import { elsewhere } from './alerts/elsewhere.js';
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

describe('every place in the sources that throws an alert', () => {
  const entries = Object.entries(elsewhere).flatMap(([file, messages]) =>
    messages.map((message) => ({ file, message })),
  );

  it('is reached by a case, or by another test', () => {
    const known = new Set(entries.map(({ message }) => message));
    expect(unreached().filter((message) => !known.has(message))).toEqual([]);
  });

  it.each(Object.entries(elsewhere))('%s names the alerts that it provokes', (file, messages) => {
    const test = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    const alerts = throwSites.filter(({ message }) => messages.includes(message)).map(({ alert }) => alert);
    expect([...new Set(alerts)].filter((alert) => !test.includes(alert))).toEqual([]);
  });

  it('is said to be reached elsewhere only where it exists, and no case reaches it', () => {
    const left = new Set(unreached());
    expect(entries.filter(({ message }) => !left.has(message))).toEqual([]);
  });
});

interface ThrowSite {
  readonly alert: string;
  /** Of a template, its source. */
  readonly message: string;
}

/** All `new AlertError(alert, message)` in handshake, connection and record, and what throws one for others. */
const throwSites: readonly ThrowSite[] = ['handshake', 'connection', 'record'].flatMap((room) => {
  const folder = new URL(`../../src/${room}/`, import.meta.url);
  return readdirSync(folder).flatMap((file) => {
    const source = readFileSync(new URL(file, folder), 'utf8');
    return [...source.matchAll(/(?:new AlertError\(\s*'?([^,']+)'?,|#refuseExcess\()\s*(?:'([^']*)'|`([^`']*))/g)].map(
      ([, alert = 'unexpected_message', quoted, template = '']) => ({ alert, message: quoted ?? template }),
    );
  });
});

/** The messages that no case has provoked. */
function unreached(): string[] {
  return throwSites
    .map(({ message }) => message)
    .filter((message) => {
      const parts = message.split(/\$\{[^}]*(?:\}|$)/).map((part) => part.replace(/[^a-zA-Z0-9 ]/g, '\\$&'));
      const pattern = new RegExp(`^${parts.join('.*')}`);
      return !seen.some((text) => pattern.test(text));
    });
}
