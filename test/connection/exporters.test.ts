/** Keying material for other protocols in TLS 1.3 (RFC 8446 7.5), tls-exporter (RFC 9266), and tls-unique of TLS 1.2 (RFC 5929 3). */
import { describe, expect, it } from 'vitest';
import { ascii, empty, fromHex, toHex } from '../../src/bytes.js';
import { exportKeyingMaterial } from '../../src/key-schedule/tls13.js';
import type { ClientHelloExtensions } from '../../src/handshake/settings.js';
import {
  epoch,
  makePair,
  pump,
  testClient,
  testServer,
  theEvent,
  tls13Client,
  tls13Server,
} from '../support/connections.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { misuse } from '../support/decoding.js';
import { readTraffic } from '../support/traffic.js';

const label = 'EXPORTER-Test';

function open(suffix = '') {
  const lines: string[] = [];
  const settings = tls13Client('node', `c${suffix}`, { keyLog: (line) => lines.push(line) });
  const pair = pump(makePair(settings, tls13Server('node', `s${suffix}`)));
  const secret = lines.find((line) => line.startsWith('EXPORTER_SECRET '))?.split(' ')[2] ?? '';
  return { pair, secret: fromHex(secret), crypto: settings.crypto };
}

describe('exportKeyingMaterial', () => {
  it('is the same on both sides, and what the exporter secret makes of label, context and length', () => {
    const { pair, secret, crypto } = open();
    for (const context of [empty, ascii('context')])
      for (const length of [1, 32, 100]) {
        const [ours, theirs] = [pair.client, pair.server].map(({ connection }) =>
          toHex(connection.exportKeyingMaterial(label, length, context)),
        );
        expect(ours).toBe(theirs);
        expect(ours).toBe(toHex(exportKeyingMaterial(crypto, 'sha256', secret, label, context, length)));
        expect(ours).toHaveLength(2 * length);
      }
  });

  it('is another one for each label, context, length and connection', () => {
    const { pair } = open();
    const { connection } = pair.client;
    const found = [
      connection.exportKeyingMaterial(label, 32),
      connection.exportKeyingMaterial('EXPORTER-Other', 32),
      connection.exportKeyingMaterial(label, 32, ascii('context')),
      connection.exportKeyingMaterial(label, 33).subarray(0, 32),
      open(' again').pair.client.connection.exportKeyingMaterial(label, 32),
    ].map(toHex);
    expect(new Set(found).size).toBe(5);
    // RFC 8446 7.5: no context and an empty one are the same in TLS 1.3.
    expect(toHex(connection.exportKeyingMaterial(label, 32, empty))).toBe(found[0]);
  });

  it('has a label of any length, and an empty one too', () => {
    const { pair, secret, crypto } = open();
    const [ours, theirs] = [pair.client, pair.server].map(({ connection }) =>
      toHex(connection.exportKeyingMaterial('', 32, ascii('context'))),
    );
    expect(ours).toBe(theirs);
    expect(ours).toBe(toHex(exportKeyingMaterial(crypto, 'sha256', secret, '', ascii('context'), 32)));
  });

  it('stays the same after a KeyUpdate', () => {
    const { pair } = open();
    const before = toHex(pair.client.connection.exportKeyingMaterial(label, 32));
    pair.client.connection.updateKeys({ requestPeer: true });
    pump(pair);
    for (const { connection } of [pair.client, pair.server])
      expect(toHex(connection.exportKeyingMaterial(label, 32))).toBe(before);
  });

  it('needs an open connection', () => {
    const pair = makePair(tls13Client('node', 'c'), tls13Server('node', 's'));
    const exported = () => pair.client.connection.exportKeyingMaterial(label, 32);
    expect(misuse(exported)).toBe('connection_not_open');
    pump(pair);
    expect(exported()).toHaveLength(32);
    pair.client.connection.destroy();
    expect(misuse(exported)).toBe('connection_not_open');
  });
});

it('RFC 9266: the channel binding is 32 bytes under the label EXPORTER-Channel-Binding, with an empty context', () => {
  const { pair, secret, crypto } = open();
  const expected = exportKeyingMaterial(crypto, 'sha256', secret, 'EXPORTER-Channel-Binding', empty, 32);
  for (const { connection } of [pair.client, pair.server])
    expect(toHex(connection.channelBinding('tls-exporter'))).toBe(toHex(expected));
});

describe('tls-unique', () => {
  /** A first connection and its resumption by session ID, which brings a Finished of the server first. */
  function pairs(extendedMasterSecret: boolean) {
    const changes = extendedMasterSecret
      ? {}
      : {
          allowMissingExtendedMasterSecret: true,
          shapeClientHello: (extensions: ClientHelloExtensions) =>
            extensions.filter(({ type }) => type !== 'extended_master_secret'),
        };
    const sessions = new MemoryStore({ now: () => epoch });
    const server = testServer('node', 's', {
      sessions,
      allowMissingExtendedMasterSecret: true,
      allowResumptionWithoutExtendedMasterSecret: true,
    });
    let keyLog = '';
    const connect = (more = {}) => {
      const client = testClient('node', 'c', {
        tickets: false,
        keyLog: (line) => (keyLog = line),
        ...changes,
        ...more,
      });
      return pump(makePair(client, server));
    };
    return { connect, keyLog: () => keyLog };
  }

  /** All verify_data, in the order in which they were sent. */
  const finished = (pair: ReturnType<typeof pump>, keyLog: string) =>
    readTraffic(pair.segments, keyLog)
      .filter(({ contentType, bytes }) => contentType === 22 && bytes[0] === 20)
      .map(({ bytes }) => toHex(bytes.subarray(4)));

  it('RFC 5929 3.1: the first Finished of the handshake, whoever sent it', () => {
    const { connect, keyLog } = pairs(true);
    const full = connect();
    const [first] = finished(full, keyLog());
    const { session } = theEvent(full.client, 'session');
    const resumed = connect({ session });
    expect(theEvent(resumed.server, 'handshake').mode).toBe('session_id');
    const [second] = finished(resumed, keyLog());
    for (const { connection } of [full.client, full.server])
      expect(toHex(connection.channelBinding('tls-unique'))).toBe(first);
    for (const { connection } of [resumed.client, resumed.server])
      expect(toHex(connection.channelBinding('tls-unique'))).toBe(second);
    expect(first).toHaveLength(24);
    expect(second).not.toBe(first);
  });

  it('RFC 7627 5.4: without extended_master_secret after a full handshake alone', () => {
    const { connect, keyLog } = pairs(false);
    const full = connect();
    const [first] = finished(full, keyLog());
    for (const { connection } of [full.client, full.server]) {
      expect(toHex(connection.channelBinding('tls-unique'))).toBe(first);
      expect(misuse(() => connection.channelBinding('tls-exporter'))).toBe('invalid_option');
    }
  });

  it('is a copy, and needs an open connection of TLS 1.2', () => {
    const { connect } = pairs(true);
    const { connection } = connect().client;
    connection.channelBinding('tls-unique').fill(0);
    expect(connection.channelBinding('tls-unique')).not.toEqual(new Uint8Array(12));
    connection.destroy();
    expect(misuse(() => connection.channelBinding('tls-unique'))).toBe('connection_not_open');
    expect(misuse(() => open().pair.client.connection.channelBinding('tls-unique'))).toBe('invalid_option');
  });
});
