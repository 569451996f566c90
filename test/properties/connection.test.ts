/** Connections under any transport, on any backend and driver. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { join, toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { clientConnection, serverConnection } from '../../src/connection/connection.js';
import { isPskSuite, isTls12CipherSuite, tls12Suites } from '../../src/key-schedule/suites.js';
import {
  connect,
  drain,
  driverNames,
  eventsOf,
  makeEnd,
  serverName,
  testClient,
  testServer,
  ticketSealer,
  type Changes,
  type End,
} from '../support/connections.js';
import { clientCredentials, ecdsaP256, ecdsaP384, ed25519Credentials, rsaCredentials } from '../support/credentials.js';
import { RecordingStore } from '../support/recording-store.js';
import { Replay, tls12Psk } from '../support/replay.js';
import { backendNames, type BackendName } from '../support/seeded.js';
import { agreement, anyCuts, anyFlow, anySide, cutAt, recordings, streamTo } from './connection-streams.js';

describe('any split of the stream gives the same events and the same answer', () => {
  it('driver sync', () => {
    fc.assert(
      fc.property(anyFlow, anySide, anyCuts, (flow, target, cuts) => {
        const stream = streamTo(flow, target);
        const whole = new Replay(flow, target).sendBytes(stream);
        const split = new Replay(flow, target);
        for (const chunk of cutAt(stream, cuts)) split.sendBytes(chunk);
        expect(split.end.events).toEqual(whole.end.events);
        expect(split.said()).toEqual(whole.said());
        expect(split.end.connection.state).toBe('open');
      }),
      { numRuns: 300 },
    );
  });

  it('driver async: chunks come while answers are awaited, or after', async () => {
    await fc.assert(
      fc.asyncProperty(anyFlow, anySide, anyCuts, fc.array(fc.boolean()), async (flow, target, cuts, pauses) => {
        const end = makeEnd(
          (options) =>
            target === 'client' ? clientConnection(flow.client(), options) : serverConnection(flow.server(), options),
          'promises',
        );
        const said: Uint8Array[] = [];
        for (const [i, chunk] of cutAt(streamTo(flow, target), cuts).entries()) {
          said.push(drain(end));
          end.connection.receive(chunk);
          if (pauses[i] === true) await new Promise(setImmediate);
        }
        for (let turn = 0; turn < 30 && end.connection.state === 'handshake'; turn++) await new Promise(setImmediate);
        said.push(drain(end));
        expect(end.events).toEqual(recordings.get(flow)!.ends[target].events);
        // Records may be cut elsewhere, as a flight leaves when it is asked for: the messages in them are the same.
        const recorded = recordings.get(flow)!.segments.filter(({ from }) => from === target);
        expect(payloads(join(said))).toBe(payloads(join(recorded.map(({ bytes }) => bytes))));
      }),
      { numRuns: 60 },
    );
  });
});

/** The payloads of all records, up to ChangeCipherSpec joined into one: what a change of their boundaries leaves alone. */
function payloads(stream: Uint8Array): string {
  let text = '';
  for (let at = 0; at < stream.length;) {
    const length = stream[at + 3]! * 0x100 + stream[at + 4]!;
    text += toHex(stream.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return text;
}

/** Any configuration whose signatures are the same each time. RSA takes the schemes of PKCS #1 then: PSS has a random salt. */
const anyParts = fc.record({
  psk: fc.boolean(),
  credentials: fc.constantFrom('ecdsaP256', 'ecdsaP384', 'ed25519', 'rsa'),
  suites: fc.shuffledSubarray(Object.keys(tls12Suites).filter(isTls12CipherSuite), { minLength: 1 }),
  groups: fc.shuffledSubarray(['x25519', 'secp256r1', 'secp384r1'] as const, { minLength: 1 }),
  protocols: fc.shuffledSubarray(['h2', 'http/1.1', 'imap']),
  named: fc.boolean(),
  tickets: fc.boolean(),
  store: fc.boolean(),
  clientAuthentication: fc.constantFrom('none', 'request', 'require'),
  clientCertificate: fc.boolean(),
});
const anyConfiguration = anyParts.filter(({ psk, suites }) => psk || !suites.every(isPskSuite));
type Configuration = typeof anyConfiguration extends fc.Arbitrary<infer T> ? T : never;

const pkcs1 = ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ed25519', 'rsa_pkcs1_sha256'] as const;

function optionsOf(configuration: Configuration, backend: BackendName) {
  const { psk, suites, groups, protocols, named, tickets, store, clientAuthentication, clientCertificate } =
    configuration;
  const credentials = {
    ecdsaP256,
    ecdsaP384,
    ed25519: ed25519Credentials,
    rsa: rsaCredentials(),
  }[configuration.credentials];
  const client: Changes<ClientOptions> = {
    cipherSuites: suites,
    // A key on a curve that the client does not list is no key for it.
    groups: groups.includes('secp256r1') || groups.includes('secp384r1') ? groups : [...groups, 'secp256r1'],
    alpnProtocols: protocols,
    serverName: named ? serverName : undefined,
    tickets,
    signatureSchemes: pkcs1,
    credentials: clientCertificate ? [clientCredentials] : [],
    ...(psk && { selectTls12Psk: () => tls12Psk }),
  };
  const server: Changes<ServerOptions> = {
    credentials: [credentials],
    alpnProtocols: ['h2', 'http/1.1'],
    clientAuthentication,
    ...(psk && { findTls12Psk: () => tls12Psk.key }),
    tickets: ticketSealer(backend, 'configured').sealer,
    ...(store && { sessions: new RecordingStore() }),
  };
  return { client, server };
}

/** A first connection and the one after it: all bytes and events. */
async function twoConnections(
  configuration: Configuration,
  backend: BackendName,
  driver: (typeof driverNames)[number],
) {
  const { client, server } = optionsOf(configuration, backend);
  const first = await connect(testClient(backend, 'one', client), testServer(backend, 'one', server), { driver });
  const session = eventsOf(first.client, 'session')[0]?.session;
  const second = await connect(testClient(backend, 'two', { ...client, session }), testServer(backend, 'two', server), {
    driver,
  });
  return [first, second].map((pair) => ({
    bytes: pair.segments.map(({ from, bytes }) => `${from} ${toHex(bytes)}`),
    client: told(pair.client),
    server: told(pair.server),
    agreed: agreement(pair),
  }));
}

/** Errors compare by what they say. */
const told = ({ events }: End) =>
  events.map((event) => (event.type === 'close' ? { ...event, error: event.error?.message } : event));

it('under one seed and clock, every backend and driver gives the same bytes and events', async () => {
  let resumed = 0;
  await fc.assert(
    fc.asyncProperty(anyConfiguration, async (configuration) => {
      const reference = await twoConnections(configuration, 'node', 'sync');
      resumed += Number(reference[1]!.server.some((event) => event.type === 'handshake' && event.resumed));
      for (const backend of backendNames)
        for (const driver of driverNames)
          expect(await twoConnections(configuration, backend, driver), `${backend} ${driver}`).toEqual(reference);
    }),
    { numRuns: 12 },
  );
  expect(resumed).toBeGreaterThan(0);
}, 30_000);
