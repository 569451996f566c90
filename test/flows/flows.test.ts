/**
 * Every flow, end to end in memory, on every backend and driver. What was on the wire and what both sides said is held
 * against `golden/<scenario>.txt`; `UPDATE_GOLDEN=1` writes those files anew, to be reviewed as a diff.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawFigure, messageFlow } from '../../src/cli/figure.js';
import type { ConnectionEvent } from '../../src/connection/events.js';
import { driverNames, eventsOf, theEvent, type End, type Pair } from '../support/connections.js';
import { backendNames } from '../support/seeded.js';
import { tls12Session } from '../support/sessions.js';
import { play, type Step } from './house.js';
import { scenarios } from './scenarios.js';

const update = process.env['UPDATE_GOLDEN'] === '1';
const golden = new URL('golden/', import.meta.url);

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (name, scenario) => {
  const combinations = backendNames
    .flatMap((backend) => driverNames.map((driver) => [backend, driver] as const))
    .filter(([, driver]) => driver !== 'sync' || scenario.asynchronousOnly !== true);

  it.each(combinations)('on %s, driver %s', async (backend, driver) => {
    const chapters: string[] = [];
    const { counters } = await play(scenario, backend, driver, (step, pair) => {
      check(step, pair);
      chapters.push(chapter(chapters.length + 1, step, pair));
    });
    const text = `${chapters.join('')}Counters: ${JSON.stringify(counters, undefined, 2)}\n`;
    const file = new URL(`${name}.txt`, golden);
    if (update && combinations[0]![0] === backend && combinations[0]![1] === driver) {
      mkdirSync(golden, { recursive: true });
      writeFileSync(file, text);
    }
    expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : `no golden file ${name}.txt`);
  });
});

it('no golden text is left over', () => {
  expect(readdirSync(golden).sort()).toEqual(scenarios.map(({ name }) => `${name}.txt`).sort());
});

/** What must hold whatever the golden text says. */
function check({ expected }: Step, { client, server }: Pair): void {
  if ('alert' in expected) {
    const [own, other] = expected.by === 'server' ? [server, client] : [client, server];
    expect(theEvent(own, 'close')).toMatchObject({
      reason: 'error',
      error: { name: 'AlertError', alert: expected.alert },
    });
    expect(theEvent(other, 'close')).toMatchObject({
      reason: 'error',
      error: { code: 'peer_alert', alert: expected.alert },
    });
    expect([
      ...eventsOf(client, 'handshake'),
      ...eventsOf(client, 'session'),
      ...eventsOf(server, 'handshake'),
    ]).toEqual([]);
    return;
  }
  const { mode, newTicket = false } = expected;
  const common = { mode, resumed: mode !== 'full', newTicket, version: 'TLSv1.2' };
  expect(theEvent(client, 'handshake')).toMatchObject({ ...common, reason: expected.client });
  expect(theEvent(server, 'handshake')).toMatchObject({ ...common, reason: expected.server });
  expect([client.connection.state, server.connection.state]).toEqual(['open', 'open']);
  for (const field of ['cipherSuite', 'alpnProtocol', 'serverName', 'group', 'extendedMasterSecret'] as const)
    expect(theEvent(client, 'handshake')[field]).toBe(theEvent(server, 'handshake')[field]);
  expect(eventsOf(server, 'session')).toEqual([]);
}

function chapter(number: number, { title }: Step, { client, server, segments }: Pair): string {
  return [
    `${number}. ${title}`,
    '',
    drawFigure(messageFlow(segments)),
    '',
    ...said('client', client),
    ...said('server', server),
    '',
    '',
  ].join('\n');
}

const said = (role: string, { events }: End) => events.map((event) => `${role}: ${event.type} ${describeEvent(event)}`);

function describeEvent(event: ConnectionEvent): string {
  switch (event.type) {
    case 'handshake':
      return listed(
        event.mode,
        event.reason,
        event.cipherSuite.replace('TLS_ECDHE_', ''),
        event.group,
        event.serverName,
        event.alpnProtocol,
        event.peerCertificates.length > 0 && `${event.peerCertificates.length} certificates`,
        event.newTicket && 'new ticket',
      );
    case 'session': {
      const { sessionId, ticket, ticketLifetimeHint } = tls12Session(event.session);
      return listed(
        sessionId && `ID of ${sessionId.length} bytes`,
        ticket && `ticket of ${ticket.length} bytes`,
        ticketLifetimeHint !== undefined && `for ${ticketLifetimeHint} s`,
      );
    }
    case 'close':
      return listed(event.reason, event.error?.message);
    case 'warning':
      return String(event.alert);
    case 'data':
      return `${event.data.length} bytes`;
    default:
      throw new Error(`no such thing in TLS 1.2: ${event.type}`);
  }
}

const listed = (...facts: (string | false | undefined)[]) => facts.filter(Boolean).join(', ');
