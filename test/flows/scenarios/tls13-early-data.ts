/** Early data: read, and not read for each reason that there is (RFC 8446 4.2.10, 8). */
import { MemoryReplayGuard } from '../../../src/early-data/memory-replay-guard.js';
import type { ReplayGuard } from '../../../src/early-data/replay-guard.js';
import { hour } from '../../support/connections.js';
import { clientCredentials } from '../../support/credentials.js';
import { tls13Session } from '../../support/sessions.js';
import type { Completed, House, Scenario, Step } from '../house.js';
import { wait, withTickets } from './parts.js';
import { byPsk, first13, fullFor, ofTls13, otherGroup, otherShare, retried } from './parts-tls13.js';

const reading = ({ guard }: House) => ({
  earlyData: { maxSize: 1000, replayGuard: guard, ticketsAreOfThisProcessAlone: true },
});
const early = 'GET / HTTP/1.1';

const accepted: Completed = { ...byPsk, earlyData: 'accepted' };
const rejectedFor = (earlyData: Completed['earlyData'], expected: Completed = byPsk): Completed => ({
  ...expected,
  earlyData: earlyData!,
});
/** A connection for a ticket, and one that sends early data under it. */
const secondStep = (step: Omit<Step, 'early'>): Step[] => [first13, { early, ...step }];
const guardThat =
  (check: ReplayGuard['check']) =>
  ({ guard: { startedAt } }: House) => ({
    earlyData: { maxSize: 1000, replayGuard: { startedAt, check }, ticketsAreOfThisProcessAlone: true },
  });

export const tls13EarlyData = ofTls13(
  (
    [
      {
        name: 'tls13-early-data',
        steps: [
          first13,
          { title: 'accepted', early, expected: accepted },
          { title: 'and again, by a new ticket', early, expected: accepted },
          { title: 'the server answers before the handshake is over', early, halfRtt: '200 OK', expected: accepted },
          { title: 'all that the ticket allows', early: 'x'.repeat(1000), expected: accepted },
          { title: 'announced, and nothing said', expected: accepted },
          {
            title: 'without looking like TLS 1.2',
            client: () => ({ middleboxCompatibility: false }),
            early,
            expected: accepted,
          },
          { title: 'not by this client', client: () => ({ earlyData: false }), early, expected: byPsk },
        ],
      },
      {
        name: 'tls13-early-data-ticket-without',
        steps: [
          { ...first13, server: () => ({ earlyData: undefined }) },
          { title: 'the ticket allows none, and the client offers none', early, expected: byPsk },
        ],
      },
      {
        name: 'tls13-early-data-disabled',
        steps: secondStep({
          title: 'a server that reads none any more',
          server: () => ({ earlyData: undefined }),
          expected: rejectedFor('disabled'),
        }),
      },
      {
        name: 'tls13-early-data-psk-not-selected',
        steps: [
          first13,
          {
            title: 'the ticket is not known any more',
            before: (house) => {
              const session = tls13Session(house.session);
              house.session = { ...session, ticket: session.ticket!.map((byte) => byte ^ 0xff) };
            },
            early,
            expected: rejectedFor('psk_not_selected', fullFor('unknown_key_name')),
          },
        ],
      },
      {
        name: 'tls13-early-data-not-first-identity',
        steps: [
          first13,
          {
            title: 'the server takes the second ticket',
            client: ({ sessions }) => {
              const [one, two] = sessions.map(tls13Session);
              return { session: [{ ...one!, ticket: one!.ticket!.map((byte) => byte ^ 0xff) }, two!] };
            },
            early,
            expected: rejectedFor('not_first_identity'),
          },
        ],
      },
      {
        name: 'tls13-early-data-hello-retry-request',
        steps: secondStep({
          title: 'a HelloRetryRequest is a rejection',
          client: otherShare,
          server: otherGroup,
          expected: retried(rejectedFor('hello_retry_request')),
        }),
      },
      {
        name: 'tls13-early-data-suite-mismatch',
        steps: secondStep({
          title: 'another suite of the same hash',
          server: () => ({ cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] }),
          expected: rejectedFor('suite_mismatch'),
        }),
      },
      {
        name: 'tls13-early-data-alpn-mismatch',
        client: () => ({ alpnProtocols: ['h2', 'http/1.1'] }),
        steps: [
          { ...first13, server: () => ({ alpnProtocols: ['h2'] }) },
          {
            title: 'another application protocol',
            server: () => ({ alpnProtocols: ['http/1.1'] }),
            early,
            expected: rejectedFor('alpn_mismatch'),
          },
        ],
      },
      {
        name: 'tls13-early-data-ticket-age',
        steps: secondStep({
          title: 'the client’s clock has run ahead by a minute',
          before: wait(hour / 2),
          client: ({ clock }) => ({ now: () => clock.time + 60_000 }),
          expected: rejectedFor('ticket_age'),
        }),
      },
      {
        name: 'tls13-early-data-limit',
        steps: secondStep({
          title: 'the server reads less than the ticket says',
          server: ({ guard }) => ({
            earlyData: { maxSize: 999, replayGuard: guard, ticketsAreOfThisProcessAlone: true },
          }),
          expected: rejectedFor('limit'),
        }),
      },
      {
        name: 'tls13-early-data-replay-guard',
        steps: [
          ...secondStep({
            title: 'the guard has seen it',
            server: guardThat(() => 'replayed'),
            expected: rejectedFor('replayed'),
          }),
          {
            title: 'the guard makes no statement',
            server: guardThat(() => 'not_checked'),
            early,
            expected: rejectedFor('replay_store_unavailable'),
          },
          {
            title: 'the guard fails',
            server: guardThat(() => {
              throw new Error('no connection to the database');
            }),
            early,
            expected: rejectedFor('replay_store_unavailable'),
          },
          {
            title: 'the guard was started after the ticket was made',
            before: wait(1000),
            server: ({ now }) => ({ earlyData: { maxSize: 1000, replayGuard: new MemoryReplayGuard({ now }) } }),
            early,
            expected: rejectedFor('startup_quarantine'),
          },
        ],
      },
      {
        name: 'tls13-early-data-mutual',
        server: () => ({ clientAuthentication: 'require' }),
        client: () => ({ credentials: [clientCredentials] }),
        steps: secondStep({ title: 'the session remembers the client’s certificate', expected: accepted }),
      },
    ] satisfies Scenario[]
  ).map((scenario: Scenario): Scenario => ({
    ...scenario,
    server: (house) => ({ ...withTickets(house), ...reading(house), ...scenario.server?.(house) }),
    client: (house) => ({ earlyData: true, ...scenario.client?.(house) }),
  })),
);
