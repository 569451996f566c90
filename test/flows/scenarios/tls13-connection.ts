/** What is said on an open connection of TLS 1.3, and how its records look. */
import { ascii } from '../../../src/bytes.js';
import type { Pair } from '../../support/connections.js';
import { withTickets } from './parts.js';
import { byPsk, first13, fullFor, ofTls13, withoutTickets } from './parts-tls13.js';
import type { Scenario } from '../house.js';

const say = (from: 'client' | 'server', text: string) => (pair: Pair) => pair[from].connection.write(ascii(text));

const afterwards: readonly Scenario[] = [
  {
    name: 'tls13-key-update',
    server: withTickets,
    steps: [
      {
        title: 'each side in its turn, and on request',
        afterwards: [
          ({ client }) => client.connection.updateKeys(),
          say('client', 'under new keys'),
          ({ server }) => server.connection.updateKeys(),
          say('server', 'under new keys too'),
          ({ client }) => client.connection.updateKeys({ requestPeer: true }),
          say('server', 'third generation'),
          ({ server }) => server.connection.updateKeys({ requestPeer: true }),
          say('client', 'fourth generation'),
          ({ client, server }) => {
            client.connection.updateKeys({ requestPeer: true });
            server.connection.updateKeys({ requestPeer: true });
          },
          say('client', 'after both at once'),
          say('server', 'the same'),
          ({ server }) => server.connection.sendTickets(1),
        ],
        expected: { ...first13.expected, tickets: 3 },
      },
      { title: 'a ticket of old keys', expected: byPsk },
    ],
  },
  {
    name: 'tls13-key-update-after-records',
    steps: [
      {
        title: 'keys wear out',
        ends: { client: { limits: { maxRecordsPerKey: 2 } } },
        afterwards: ['one', 'two', 'three', 'four', 'five'].map((text) => say('client', text)),
        expected: fullFor('not_offered', withoutTickets),
      },
    ],
  },
  {
    name: 'tls13-half-close',
    steps: [
      {
        title: 'the client ends, the server talks on',
        ends: { server: { halfClose: true } },
        afterwards: [
          say('client', 'all that I have'),
          ({ client }) => client.connection.close(),
          say('server', 'thank you'),
          ({ server }) => server.connection.close(),
        ],
        expected: fullFor('not_offered', withoutTickets),
      },
      {
        title: 'without half-close the answer comes at once',
        afterwards: [say('client', 'all that I have'), ({ client }) => client.connection.close()],
        expected: fullFor('not_offered', withoutTickets),
      },
    ],
  },
  {
    name: 'tls13-half-rtt',
    server: withTickets,
    steps: [
      { title: 'the server speaks first', halfRtt: 'hello there', expected: first13.expected },
      { title: 'in a resumption', halfRtt: 'hello again', expected: byPsk },
    ],
  },
];

const records: readonly Scenario[] = [
  {
    name: 'tls13-record-size-limit',
    client: () => ({ recordSizeLimit: 100 }),
    server: () => ({ recordSizeLimit: 200 }),
    steps: [
      {
        title: 'each side keeps to what the other takes',
        afterwards: [say('client', 'c'.repeat(450)), say('server', 's'.repeat(250))],
        expected: fullFor('not_offered', withoutTickets),
      },
    ],
  },
  {
    name: 'tls13-record-padding',
    client: () => ({ recordPaddingBlock: 128 }),
    server: () => ({ recordPaddingBlock: 256 }),
    steps: [
      {
        title: 'lengths tell nothing',
        afterwards: [say('client', 'yes'), say('client', 'no, by no means'), say('server', 's'.repeat(255))],
        expected: fullFor('not_offered', withoutTickets),
      },
    ],
  },
];

export const tls13Connection = ofTls13([...afterwards, ...records]);
