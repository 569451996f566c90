/** Resumption under another server name (draft-ietf-tls-cross-sni-resumption): where ticket, client and server all want it. */
import { describe, expect, it } from 'vitest';
import { ascii, fromHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { CertificateQuestion, ServerSettings } from '../../src/handshake/settings.js';
import { encodeHandshake } from '../../src/messages/handshake.js';
import type { Extension, NewSessionTicket } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { clientSessionState } from '../../src/sessions/session-state.js';
import type { Session } from '../../src/sessions/session.js';
import { connectSync, makeWorld, offer, outcome, sessionOf, tls12Kinds } from '../support/attack-rig.js';
import { eventsOf, makePair, pump, theEvent, type Changes, type Pair } from '../support/connections.js';
import { trustingVerifier } from '../support/credentials.js';
import { backendNames } from '../support/seeded.js';
import { tls13Session } from '../support/sessions.js';
import { clientPair, outcome as outcomeOf } from '../support/tls13-rules.js';
import { refusal } from '../support/verifiers.js';
import { makeWorld13 } from '../support/world-tls13.js';

const across = { resumptionAcrossNames: true } as const;
const offering = { offerSessionsOfOtherNames: true } as const;
const earlyData = { maxSize: 100, acceptReplayedEarlyData: true } as const;

describe.each(backendNames)('on %s', (backend) => {
  const world = makeWorld('psk', backend);
  const atA = (server: Changes<ServerOptions> = across, client: Changes<ClientOptions> = {}) =>
    connectSync(world.client({ serverName: 'a.example', ...client }), world.server(server));
  const atB = (session: Session, client: Changes<ClientOptions> = offering, server: Changes<ServerOptions> = across) =>
    connectSync(world.client({ serverName: 'b.example', session, ...client }), world.server(server));

  it('resumes, and the new ticket belongs to the new name', () => {
    const session = tls13Session(sessionOf(atA()));
    expect(session).toMatchObject({ serverName: 'a.example', resumableAcrossNames: true });
    const second = atB(session);
    expect(outcome(second)).toBe('psk');
    expect(theEvent(second.server, 'handshake').serverName).toBe('b.example');
    const next = tls13Session(sessionOf(second));
    expect(next).toMatchObject({ serverName: 'b.example', resumableAcrossNames: true });
    expect(next.establishedAt).toBe(session.establishedAt);
    expect(next.peerCertificates).toEqual(session.peerCertificates);
    expect(
      outcome(connectSync(world.client({ serverName: 'a.example', session: next, ...offering }), world.server(across))),
    ).toBe('psk');
  });

  it('with the state that a client keeps, and with tickets that are handles into a store', () => {
    const sessions = new MemoryStore({ now: () => world.clock.time });
    const stored = { ...across, tickets: undefined, sessions };
    const kept = clientSessionState.encode(sessionOf(atA(stored)));
    expect(outcome(atB(clientSessionState.decode(kept)!, offering, stored))).toBe('psk');
  });

  it('P-bind-1 a server whose tickets did not say so, or that does not want it, declines', () => {
    const client = () => world.client({ serverName: 'b.example' });
    expect(outcome(offer(atA({}), client(), world.server(across)))).toBe('full: server_name_mismatch');
    expect(outcome(offer(atA(), client(), world.server()))).toBe('full: server_name_mismatch');
    expect(outcome(offer(atA(), client(), world.server({ ...across, applicationContext: ascii('b') })))).toBe(
      'full: context_mismatch',
    );
    expect(outcome(offer(atA(), world.client({ serverName: undefined }), world.server(across)))).toBe(
      'full: server_name_mismatch',
    );
  });

  it('tickets of a handshake under an external PSK do not say so: no certificate stands behind them', () => {
    const psk = { identity: ascii('psk'), key: new Uint8Array(32).fill(7) };
    const server = { ...across, externalPsks: [{ ...psk, role: 'server' }] } as const;
    const first = atA(server, { externalPsks: [{ ...psk, role: 'client' }] });
    expect(theEvent(first.server, 'handshake').pskKind).toBe('imported');
    expect(sessionOf(first)).not.toHaveProperty('resumableAcrossNames');
  });

  it('P-bind-1 every virtual host decides for itself', () => {
    const hosts: Record<string, ServerSettings> = {
      'a.example': world.server(across),
      'b.example': world.server(across),
      'c.example': world.server(),
    };
    const front = world.server({ chooseSettings: ({ serverName = '' }) => hosts[serverName] });
    const at = (serverName: string) => world.client({ serverName });
    const first = connectSync(at('a.example'), front);
    expect(outcome(offer(first, at('b.example'), front))).toBe('psk');
    expect(outcome(offer(first, at('c.example'), front))).toBe('full: server_name_mismatch');
  });

  it('P-bind-5 a client offers nothing of another name unless it is told to, and the ticket says so', () => {
    expect(outcome(atB(sessionOf(atA()), {}))).toBe('full: not_offered');
    expect(sessionOf(atA({}))).not.toHaveProperty('resumableAcrossNames');
    expect(outcome(atB(sessionOf(atA({}))))).toBe('full: not_offered');
    expect(outcome(atB(sessionOf(atA()), { ...offering, serverName: undefined }))).toBe('full: not_offered');
  });

  it('P-bind-6 R8446-4.6.1-3 a client offers it where the certificate is valid for the new name alone', () => {
    const asked: CertificateQuestion[] = [];
    const session = sessionOf(atA());
    const verifying = (good: string): Changes<ClientOptions> => ({
      ...offering,
      verifyCertificate: (question) => {
        asked.push(question);
        return question.resumed && question.serverName !== good ? refusal('unknown_ca') : trustingVerifier(question);
      },
    });
    expect(outcome(atB(session, verifying('b.example')))).toBe('psk');
    expect(asked).toMatchObject([
      { role: 'server', serverName: 'b.example', resumed: true, certificates: session.peerCertificates },
    ]);
    expect(outcome(atB(session, verifying('a.example')))).toBe('full: not_offered');
  });

  it('a client that keeps sessions finds those of its name alone', () => {
    const sessions = new MemoryStore({ now: () => world.clock.time });
    atA(across, { sessions });
    const at = (serverName: string) => world.client({ serverName, sessions, peerIdentity: 'one', ...offering });
    expect(outcome(connectSync(at('b.example'), world.server(across)))).toBe('full: not_offered');
  });

  it('without early data: a client offers none', () => {
    const server = { ...across, earlyData };
    const session = sessionOf(atA(server));
    const begun = (serverName: string) =>
      makePair(world.client({ serverName, session, ...offering, earlyData: true }), world.server(server));
    expect(begun('a.example').client.connection.earlyDataAllowance).toBe(100);
    const pair = begun('b.example');
    expect(pair.client.connection.earlyDataAllowance).toBe(0);
    expect(outcome(pump(pair))).toBe('psk');
    expect(theEvent(pair.server, 'handshake')).toMatchObject({ earlyData: 'none', earlyDataReason: 'not_offered' });
  });

  it('without early data: a server reads none', () => {
    const server = { ...across, earlyData };
    const session = { ...sessionOf(atA(server)), serverName: 'b.example' };
    const client = world.client({ serverName: 'b.example', session, earlyData: true });
    const pair = makePair(client, world.server(server));
    pair.client.connection.writeEarlyData(ascii('early'));
    expect(outcome(pump(pair))).toBe('psk');
    expect(theEvent(pair.server, 'handshake')).toMatchObject({
      earlyData: 'rejected',
      earlyDataReason: 'server_name_mismatch',
    });
    expect(eventsOf(pair.server, 'data')).toEqual([]);
  });

  it.each(tls12Kinds)('P-bind-1 never in TLS 1.2 (%s)', (kind) => {
    const tls12 = makeWorld(kind, backend);
    const first = connectSync(tls12.client({ serverName: 'a.example' }), tls12.server(across));
    const client = tls12.client({ serverName: 'b.example', session: sessionOf(first), ...offering });
    expect(outcome(connectSync(client, tls12.server(across)))).toBe('full: not_offered');
    expect(outcome(offer(first, client, tls12.server(across)))).toBe('full: server_name_mismatch');
  });
});

describe('tls_flags of a ticket (draft-ietf-tls-tlsflags-14 2)', () => {
  const world = makeWorld13();
  /** What a client makes of a ticket with these extensions, in hex. */
  function given(extensions: string): Pair {
    const pair = clientPair(world.client(), world.server({ ticketCount: 0 }));
    pump(pair);
    const message = encodeHandshake('TLSv1.3', { type: 'new_session_ticket', body: aTicket });
    const list = fromHex(extensions);
    const bytes = Uint8Array.of(...message.subarray(0, -2), list.length >> 8, list.length, ...list);
    bytes.set([(bytes.length - 4) >> 8, bytes.length - 4], 2);
    pair.server.transport.writeHandshake(bytes);
    return pump(pair);
  }
  const flagOf = (pair: Pair) => tls13Session(theEvent(pair.client, 'session').session).resumableAcrossNames;

  it.each([
    ['no extension', '', undefined],
    ['flag 8', '003e 0003 02 0001', true],
    ['flag 0', '003e 0002 01 01', undefined],
    ['flags 1 and 8', '003e 0003 02 0201', true],
    ['flags 7 and 9', '003e 0003 02 8002', undefined],
    ['flags 8 and 100', '003e 000e 0d 0001' + '00'.repeat(10) + '10', true],
  ])('%s', (_, extensions, expected) => {
    const pair = given(extensions.replaceAll(' ', ''));
    expect(outcomeOf(pair)).toBe('full: not_offered');
    expect(flagOf(pair)).toBe(expected);
  });

  it('flag 2039, which is the last one', () => {
    const pair = given(`003e0100ff${'00'.repeat(254)}80`);
    expect(flagOf(pair)).toBeUndefined();
  });

  it.each([
    ['no flags', '003e 0001 00', 'decode_error'],
    ['nothing', '003e 0000', 'decode_error'],
    ['a byte after them', '003e 0003 01 01 00', 'decode_error'],
    ['zeros alone', '003e 0002 01 00', 'illegal_parameter'],
    ['a zero at the end', '003e 0004 03 0001 00', 'illegal_parameter'],
  ])('%s: refused', (_, extensions, alert) => {
    const pair = given(extensions.replaceAll(' ', ''));
    expect(outcomeOf(pair)).toBe(`client: ${alert}`);
    expect(eventsOf(pair.client, 'session')).toEqual([]);
  });

  it('a server that is told to sets flag 8', () => {
    const flags = (server: Changes<ServerOptions>) => {
      const sent: Extension<'new_session_ticket'>[] = [];
      const settings = world.server({ ...server, ticketCount: 1 });
      const pair = clientPair(world.client(), settings);
      const { hs } = pair.server;
      const send = hs.sendAfterHandshake.bind(hs);
      hs.sendAfterHandshake = (message) => {
        if (message.type === 'new_session_ticket') sent.push(...message.body.extensions);
        send(message);
      };
      pump(pair);
      return sent.filter(({ type }) => type === 'tls_flags');
    };
    expect(flags(across)).toEqual([{ type: 'tls_flags', data: fromHex('0001') }]);
    expect(flags({})).toEqual([]);
  });
});

const aTicket: NewSessionTicket = {
  ticketLifetime: 7200,
  ticketAgeAdd: 1,
  ticketNonce: Uint8Array.of(0),
  ticket: ascii('a ticket'),
  extensions: [],
};
