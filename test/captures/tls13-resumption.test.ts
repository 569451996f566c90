/**
 * Every recorded ClientHello that offers a PSK - of OpenSSL, Node.js, nginx, Go, GnuTLS and NSS - against our server, which is
 * told what the recorded ticket stands for: it resumes, and reads the recorded early data.
 */
import { describe, expect, it } from 'vitest';
import { empty, equal, fromAscii, join, toHex } from '../../src/bytes.js';
import { serverConnection } from '../../src/connection/connection.js';
import type { HashAlgorithm } from '../../src/crypto/backend.js';
import type { ConnectionEvent } from '../../src/connection/events.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import type { ReplayGuard } from '../../src/early-data/replay-guard.js';
import type { ServerSettings } from '../../src/handshake/settings.js';
import { isTls13CipherSuite, tls13Suites } from '../../src/key-schedule/suites.js';
import {
  decodeHandshake,
  findExtension,
  type ClientHello,
  type PskIdentity,
  type ServerHello,
} from '../../src/messages/index.js';
import { sessionState } from '../../src/sessions/session-state.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import type { TicketSealer } from '../../src/tickets/sealer.js';
import { captures, splitRecords, type CapturedConnection } from '../support/capture.js';
import { pskOf } from '../support/captured-psk.js';
import { epoch, tls13Server } from '../support/connections.js';
import { replayTls13, type ReplayedTls13Message } from '../support/replay-tls13.js';
import { backendNames, seededCrypto, type BackendName } from '../support/seeded.js';
import { tally } from '../support/tally.js';

interface Offer {
  readonly origin: string;
  readonly hello: ClientHello;
  readonly helloLength: number;
  /** All that the client sent. Behind its early data it went on under keys of another server. */
  readonly wire: Uint8Array;
  readonly earlyData: string | undefined;
  /** Of the PSK. */
  readonly hash: HashAlgorithm;
  /** Of a server that has seen nothing yet. */
  readonly settings: () => ServerSettings;
}

/** Whose client has come to offer no suite of the PSK's hash. */
const declined = 'tls13-psk-other-hash[1]';

describe.each(backendNames)('recorded offers of a PSK (%s)', (backend) => {
  const offers = captures()
    .filter(({ version }) => version === 'TLSv1.3')
    .flatMap((connection) => offerOf(backend, connection) ?? []);

  it('R8446-4.2.11-6 R8446-4.2.11-8 R8446-4.2.11-9 are taken up, each under a suite of its hash', () => {
    const found = offers.map(({ origin, hello, hash, wire, settings }) => {
      const { cipherSuite, extensions } = serverHelloIn(answer(settings(), wire).output);
      expect(hello.cipherSuites, origin).toContain(cipherSuite);
      if (findExtension(extensions, 'pre_shared_key') === undefined) return `declined: ${origin}`;
      expect(findExtension(extensions, 'pre_shared_key'), origin).toBe(0);
      const mode = findExtension(extensions, 'key_share') === undefined ? 'psk_ke' : 'psk_dhe_ke';
      expect(findExtension(hello.extensions, 'psk_key_exchange_modes'), origin).toContain(mode);
      expect(isTls13CipherSuite(cipherSuite) && tls13Suites[cipherSuite].hash, origin).toBe(hash);
      return `${mode} ${hash}`;
    });
    expect(tally(found)).toEqual({
      'psk_dhe_ke sha256': 23,
      'psk_dhe_ke sha384': 7,
      'psk_ke sha256': 1,
      [`declined: ${declined}`]: 1,
    });
  });

  it('R8446-4.2.10-8 P-early-4 R8446-8-1 R8446-8.2-2 early data is what the client sent, and is read once', () => {
    const accepted: string[] = [];
    for (const { origin, earlyData, wire, settings } of offers) {
      if (earlyData === undefined) continue;
      const server = settings();
      const { events } = answer(server, wire);
      expect(events, origin).toContainEqual({ type: 'early_data', accepted: true, reason: undefined });
      expect(toHex(earlyDataIn(events)), origin).toBe(earlyData);
      accepted.push(origin);

      const again = answer(server, wire);
      expect(again.events, origin).toContainEqual({ type: 'early_data', accepted: false, reason: 'replayed' });
      expect(toHex(earlyDataIn(again.events)), origin).toBe('');
      expect(findExtension(serverHelloIn(again.output).extensions, 'pre_shared_key'), origin).toBe(0);
    }
    expect(accepted.length).toBe(10);
  });

  it('R8446-4.2.11-9 a binder that is off by one bit ends the handshake', () => {
    const taken = offers.filter(({ origin }) => origin !== declined);
    for (const { origin, helloLength, wire, settings } of taken) {
      const changed = wire.slice();
      changed[5 + helloLength - 1] = (changed[5 + helloLength - 1] ?? 0) ^ 1;
      const { output } = answer(settings(), changed);
      expect(toHex(output.subarray(-2)), origin).toBe('0233'); // fatal decrypt_error
      expect(output.length, origin).toBe(7);
    }
    expect(taken.length).toBe(31);
  });
});

function answer(settings: ServerSettings, wire: Uint8Array) {
  const connection = serverConnection(settings, { driver: 'sync' });
  connection.receive(wire.slice());
  return { output: connection.takeOutput(), events: connection.takeEvents() };
}

function serverHelloIn(output: Uint8Array): ServerHello {
  const [record] = splitRecords(output);
  const message = record && decodeHandshake('TLSv1.3', record.fragment);
  if (message?.type !== 'server_hello') throw new Error(`got ${String(message?.type)}, expected a server_hello`);
  return message.body;
}

function earlyDataIn(events: readonly ConnectionEvent[]): Uint8Array {
  return join(events.flatMap((event) => (event.type === 'data' && event.early ? [event.data] : [])));
}

/** `undefined` where no PSK is offered, or none whose key is known. */
function offerOf(backend: BackendName, connection: CapturedConnection): Offer | undefined {
  const { origin, sent, contents, resumes } = connection;
  const crypto = seededCrypto(backend, origin);
  const psk = pskOf(crypto, connection);
  const [first] = replayTls13(crypto, connection).messages;
  if (first?.message.type !== 'client_hello') throw new Error(`${origin} does not begin with a ClientHello`);
  const hello = first.message.body;
  const [offered] = findExtension(hello.extensions, 'pre_shared_key')?.identities ?? [];
  if (psk === undefined || offered === undefined) return undefined;

  const modes = { pskKeyExchangeModes: ['psk_dhe_ke', 'psk_ke'] } as const;
  const offer = {
    origin,
    hello,
    helloLength: first.bytes.length,
    wire: sent.client,
    earlyData: contents.earlyData,
    hash: psk.hash,
  };
  if (resumes === undefined || psk.kind === 'external') {
    const externalPsk = { identity: offered.identity, key: psk.key, role: 'server', withoutImporter: true } as const;
    return { ...offer, settings: () => tls13Server(backend, origin, { ...modes, externalPsks: [externalPsk] }) };
  }
  const { applicationContext } = tls13Server(backend, origin).binding;
  const session = {
    ...recordedSession(replayTls13(crypto, resumes).messages, resumes, hello, offered, psk.key),
    applicationContext,
  };
  const settings = () =>
    tls13Server(backend, origin, {
      ...modes,
      tickets: sealerOf(offered.identity, session),
      alpnProtocols: session.alpnProtocol === undefined ? undefined : [session.alpnProtocol],
      earlyData: {
        maxSize: 2 ** 32 - 1,
        replayGuard: guardSince(session.issuedAt),
        ticketsAreOfThisProcessAlone: true,
      },
    });
  return { ...offer, settings };
}

function guardSince(start: number): ReplayGuard {
  let time = start;
  const guard = new MemoryReplayGuard({ now: () => time });
  time = epoch;
  return guard;
}

/** What the ticket stands for, as if it had just reached the age that the client says. */
function recordedSession(
  messages: readonly ReplayedTls13Message[],
  { origin, cipherSuite }: CapturedConnection,
  hello: ClientHello,
  { identity, obfuscatedTicketAge }: PskIdentity,
  psk: Uint8Array,
): Tls13Session {
  const bodies = messages.map(({ message }) => message);
  const ticket = bodies.find(
    (message) => message.type === 'new_session_ticket' && equal(message.body.ticket, identity),
  );
  const parameters = bodies.find(({ type }) => type === 'encrypted_extensions');
  if (ticket?.type !== 'new_session_ticket' || !isTls13CipherSuite(cipherSuite))
    throw new Error(`${origin} did not give the ticket out`);
  const { ticketAgeAdd, ticketLifetime, extensions } = ticket.body;
  const issuedAt = epoch - ((obfuscatedTicketAge - ticketAgeAdd) >>> 0);
  const [host] = findExtension(hello.extensions, 'server_name') ?? [];
  const [alpnProtocol] =
    parameters?.type === 'encrypted_extensions'
      ? (findExtension(parameters.body.extensions, 'application_layer_protocol_negotiation') ?? [])
      : [];
  return {
    version: 'TLSv1.3',
    cipherSuite,
    psk,
    ticketAgeAdd,
    ticketLifetime,
    maxEarlyDataSize: findExtension(extensions, 'early_data') ?? 0,
    transport: 'tcp',
    establishedAt: issuedAt,
    issuedAt,
    peerCertificates: [],
    applicationContext: empty,
    ...(host?.nameType === 'host_name' && { serverName: fromAscii(host.name) }),
    ...(alpnProtocol !== undefined && { alpnProtocol: fromAscii(alpnProtocol) }),
  };
}

/** Opens one ticket. */
function sealerOf(ticket: Uint8Array, session: Tls13Session): TicketSealer {
  return {
    seal: () => ticket,
    open: (offered) =>
      equal(offered, ticket) ? { state: sessionState.encode(session), renew: false } : { reason: 'unknown_key_name' },
  };
}
