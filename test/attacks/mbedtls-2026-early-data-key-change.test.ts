/**
 * Mbed TLS (July 2026), "TLS 1.3 early data integrity failure due to buffered plaintext across key change": what came under the
 * early key was read as handshake data of the next one.
 */
import { describe, expect, it } from 'vitest';
import { ascii, concat } from '../../src/bytes.js';
import { contentTypes, handshakeTypes } from '../../src/parameters.js';
import { outcome } from '../support/attack-rig.js';
import {
  makeTls13World,
  pairOf,
  pass,
  rogueClient,
  rogueServer,
  type Misbehaviour,
} from '../support/attack-rig-tls13.js';
import { eventsOf, pump, type Pair } from '../support/connections.js';

/** A client that sends early data, which is accepted, and then misbehaves. */
function early(misbehaviour: Misbehaviour): Pair {
  const world = makeTls13World();
  const session = world.session();
  const client = rogueClient(world.client({ session, earlyData: true }), misbehaviour);
  client.connection.writeEarlyData(ascii('early'));
  const pair = pump(pairOf(client, rogueServer(world.server())));
  expect(eventsOf(pair.server, 'early_data')).toMatchObject([{ accepted: true }]);
  return pair;
}

/** What goes out in the record of EndOfEarlyData, behind it. */
const behindEndOfEarlyData = (more: Uint8Array): Misbehaviour => ({
  transport: (records) => ({
    writeHandshake: (message) =>
      records.writeHandshake(message[0] === handshakeTypes.end_of_early_data ? concat(message, more) : message),
  }),
});

describe('the end of early data', () => {
  it('R8446-5.1-1 alone in its record: goes on', () => {
    expect(outcome(early({}))).toBe('psk');
  });

  const finished = concat(Uint8Array.of(handshakeTypes.finished, 0, 0, 32), new Uint8Array(32).fill(1));
  it.each([
    ['one byte', finished.subarray(0, 1)],
    ['a header', finished.subarray(0, 4)],
    ['half a Finished', finished.subarray(0, 20)],
    ['a whole Finished', finished],
    ['another EndOfEarlyData', Uint8Array.of(handshakeTypes.end_of_early_data, 0, 0, 0)],
  ])('P-state-4 R8446-5.1-1 and %s behind it in one record: unexpected_message', (_title, more) => {
    const pair = early(behindEndOfEarlyData(more));
    expect(outcome(pair)).toBe('server: unexpected_message');
    expect(eventsOf(pair.server, 'handshake')).toEqual([]);
  });

  it("P-state-4 R8446-5.1-1 the client's own Finished behind it in one record, under the early key: unexpected_message", () => {
    // Keys do not change, so the messages of the flight share a record.
    const pair = early({
      transport: () => ({ changeWriteKeys: () => undefined, writeChangeCipherSpec: () => undefined }),
    });
    expect(outcome(pair)).toBe('server: bad_record_mac');
    const late = early({
      transport: (records) => {
        let isEarly = true;
        return {
          changeWriteKeys: (level, keys) => {
            if (level === 'early') records.changeWriteKeys(level, keys);
            isEarly = level === 'early';
          },
          writeChangeCipherSpec: () => {
            if (!isEarly) records.writeChangeCipherSpec();
          },
        };
      },
    });
    expect(outcome(late)).toBe('server: unexpected_message');
  });

  it('P-state-4 R8446-5.1-1 half a Finished under the early key, half under the next: bad_record_mac or worse, never a handshake', () => {
    const pair = early({
      transport: (records) => ({
        writeHandshake: (message) => {
          if (message[0] !== handshakeTypes.finished) records.writeHandshake(message);
          else {
            records.write(contentTypes.handshake, message.slice(0, 10));
            records.write(contentTypes.application_data, ascii('in between'));
            records.write(contentTypes.handshake, message.slice(10));
          }
        },
      }),
    });
    expect(outcome(pair)).toBe('server: unexpected_message');
  });

  it('R8446-4.2.10-12 early data between the halves of EndOfEarlyData: unexpected_message', () => {
    const pair = early({
      transport: (records) => ({
        writeHandshake: (message) => {
          if (message[0] !== handshakeTypes.end_of_early_data) {
            records.writeHandshake(message);
            return;
          }
          records.write(contentTypes.handshake, message.slice(0, 2));
          records.write(contentTypes.application_data, ascii('more'));
          records.write(contentTypes.handshake, message.slice(2));
        },
      }),
    });
    expect(outcome(pair)).toBe('server: unexpected_message');
  });

  it('R8446-4.5-1 early data after EndOfEarlyData, under the early key: bad_record_mac', () => {
    const pair = early({
      transport: (records) => ({
        writeHandshake: (message) => {
          records.writeHandshake(message);
          if (message[0] === handshakeTypes.end_of_early_data)
            records.write(contentTypes.application_data, ascii('late'));
        },
      }),
    });
    expect(outcome(pair)).toBe('server: bad_record_mac');
  });

  it('R8446-4.5-2 EndOfEarlyData where none was offered, or it was rejected: unexpected_message', () => {
    const world = makeTls13World();
    const end = Uint8Array.of(handshakeTypes.end_of_early_data, 0, 0, 0);
    const uninvited: Misbehaviour = { says: (message) => (message.type === 'finished' ? [end, message] : [message]) };
    expect(outcome(pump(pairOf(rogueClient(world.client(), uninvited), rogueServer(world.server()))))).toBe(
      'server: unexpected_message',
    );
    const session = world.session();
    const client = rogueClient(world.client({ session, earlyData: true }), uninvited);
    client.connection.writeEarlyData(ascii('early'));
    const server = rogueServer(world.server({ earlyData: undefined }));
    pass(client, server);
    expect(outcome(pump(pairOf(client, server)))).toBe('server: unexpected_message');
  });
});
