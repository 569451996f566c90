/**
 * Every flow, end to end in memory, on every backend and driver. What was on the wire and what both sides said is held
 * against `golden/<scenario>.txt`; `UPDATE_GOLDEN=1` writes those files anew, to be reviewed as a diff.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromAscii } from '../../src/bytes.js';
import { drawFigure, messageFlow } from '../../src/cli/figure.js';
import type { ConnectionEvent } from '../../src/connection/events.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { driverNames, eventsOf, theEvent, type End, type Pair } from '../support/connections.js';
import { backendNames } from '../support/seeded.js';
import { isThorough } from '../support/thorough.js';
import { play, type Completed, type Step } from './house.js';
import { scenarios } from './scenarios.js';

const update = process.env['UPDATE_GOLDEN'] === '1';
const golden = new URL('golden/', import.meta.url);

describe.each(scenarios.map((scenario, i) => [scenario.name, scenario, i] as const))('%s', (name, scenario, i) => {
  const combinations = backendNames
    .flatMap((backend) => driverNames.map((driver) => [backend, driver] as const))
    .filter(([, driver]) => driver !== 'sync' || scenario.asynchronousOnly !== true)
    // With noble one driver, the next scenario the next; all of them in the slow tests.
    .filter(([backend], j, { length }) => isThorough || backend === 'node' || j % (length / 2) === i % (length / 2));

  it.each(combinations)('on %s, driver %s', async (backend, driver) => {
    const chapters: string[] = [];
    const { counters } = await play(scenario, backend, driver, (step, pair, keyLog) => {
      check(step, pair);
      chapters.push(chapter(chapters.length + 1, step, pair, keyLog));
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
function check({ expected, afterwards }: Step, { client, server }: Pair): void {
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
    expect(eventsOf(client, 'handshake')).toHaveLength(expected.late === true ? 1 : 0);
    expect([...eventsOf(client, 'session'), ...eventsOf(server, 'handshake')]).toEqual([]);
    return;
  }
  const { mode, newTicket = false, version = 'TLSv1.2', helloRetryRequest = false, earlyData } = expected;
  const common = { mode, resumed: mode !== 'full', version, helloRetryRequest };
  const isTls13 = version === 'TLSv1.3';
  expect(theEvent(client, 'handshake')).toMatchObject({
    ...common,
    reason: expected.client,
    newTicket: newTicket && !isTls13,
  });
  const tickets = expected.tickets ?? (mode === 'full' ? 2 : 1);
  expect(theEvent(server, 'handshake')).toMatchObject({
    ...common,
    reason: expected.server,
    newTicket: isTls13 ? (expected.newTicket ?? tickets > 0) : newTicket,
  });
  if (isTls13) expect(eventsOf(client, 'session')).toHaveLength(tickets);
  checkEarlyData(earlyData, { client, server });
  if (afterwards === undefined) expect([client.connection.state, server.connection.state]).toEqual(['open', 'open']);
  for (const field of ['cipherSuite', 'alpnProtocol', 'serverName', 'group', 'extendedMasterSecret'] as const)
    expect(theEvent(client, 'handshake')[field]).toBe(theEvent(server, 'handshake')[field]);
  expect(eventsOf(server, 'session')).toEqual([]);
  if (client.connection.state !== 'open' || server.connection.state !== 'open') return;
  const [ours, theirs] = [client, server].map(({ connection }) => connection.exportKeyingMaterial('EXPORTER-x', 32));
  expect(ours).toEqual(theirs);
}

function checkEarlyData(expected: Completed['earlyData'], { client, server }: Pick<Pair, 'client' | 'server'>): void {
  const outcome = expected === undefined ? 'none' : expected === 'accepted' ? 'accepted' : 'rejected';
  const [ours, theirs] = [theEvent(client, 'handshake'), theEvent(server, 'handshake')];
  expect([ours.earlyData, theirs.earlyData]).toEqual([outcome, outcome]);
  expect(theirs.earlyDataReason).toBe({ none: 'not_offered', accepted: undefined, rejected: expected }[outcome]);
  const sent = outcome === 'accepted' ? ours.earlyDataBytes : 0;
  const read = eventsOf(server, 'data').filter(({ early }) => early);
  expect([theirs.earlyDataBytes, read.reduce((sum, { data }) => sum + data.length, 0)]).toEqual([sent, sent]);
  const told = outcome === 'none' ? [] : [{ type: 'early_data', accepted: outcome === 'accepted' }];
  for (const end of [client, server]) expect(eventsOf(end, 'early_data')).toMatchObject(told);
}

function chapter(number: number, { title }: Step, { client, server, segments }: Pair, keyLog: string): string {
  return [
    `${number}. ${title}`,
    '',
    drawFigure(messageFlow(segments, { crypto: nobleCrypto, keyLog })),
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
        event.cipherSuite.replace(/^TLS_(ECDHE_)?/, ''),
        event.group,
        event.helloRetryRequest && 'HelloRetryRequest',
        event.serverName,
        event.alpnProtocol,
        event.peerCertificates.length > 0 && `${event.peerCertificates.length} certificates`,
        event.externalPskIdentity && `external PSK ${fromAscii(event.externalPskIdentity)}`,
        event.newTicket && 'new ticket',
      );
    case 'session': {
      const { session } = event;
      const ticket = session.ticket && `ticket of ${session.ticket.length} bytes`;
      if (session.version === 'TLSv1.3')
        return listed(
          ticket,
          `for ${session.ticketLifetime} s`,
          session.maxEarlyDataSize > 0 && `${session.maxEarlyDataSize} bytes of early data`,
        );
      const { sessionId, ticketLifetimeHint } = session;
      return listed(
        sessionId && `ID of ${sessionId.length} bytes`,
        ticket,
        ticketLifetimeHint !== undefined && `for ${ticketLifetimeHint} s`,
      );
    }
    case 'early_data':
      return listed(event.accepted ? 'accepted' : 'rejected', event.reason);
    case 'close':
      return listed(event.reason, event.error?.message);
    case 'warning':
      return String(event.alert);
    case 'data':
      return listed(event.early && 'early', JSON.stringify(fromAscii(event.data)));
    case 'end':
      return '';
  }
}

const listed = (...facts: (string | false | undefined)[]) => facts.filter(Boolean).join(', ');
