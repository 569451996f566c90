/** What a peer may cost: one that sends slowly, endlessly, too much at once or nothing is bounded by named limits. */
import { describe, expect, it } from 'vitest';
import { ascii, concat, fromHex, join } from '../../src/bytes.js';
import { clientConnection, serverConnection } from '../../src/connection/connection.js';
import { defaultLimits } from '../../src/connection/limits.js';
import { encodeHandshake } from '../../src/messages/handshake.js';
import { maxConsecutiveEmptyRecords } from '../../src/record/record-layer.js';
import { drain, eventsOf, makeEnd, makePair, pump, settle, theEvent } from '../support/connections.js';
import { trustingVerifier } from '../support/credentials.js';
import { flows, itemsFrom, record, Replay } from '../support/replay.js';

const open = () => pump(makePair(flows.full.client(), flows.full.server()));

it.each([Number.NaN, Infinity, -1, 0.5, '9' as unknown as number])(
  'a limit of %o is refused: it would limit nothing',
  (limit) => {
    for (const name of Object.keys(defaultLimits))
      expect(() => clientConnection(flows.full.client(), { limits: { [name]: limit } })).toThrow(
        expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }),
      );
  },
);

describe('while an answer is awaited', () => {
  /** A client whose verifier takes its time, and all that the server says until then. */
  const waiting = (limits = {}) => {
    let decide: (() => void) | undefined;
    const verdict = new Promise<void>((resolve) => (decide = resolve)).then(() =>
      trustingVerifier({ certificates: [ascii('server secp256r1')] }),
    );
    const client = flows.full.client({ verifyCertificate: () => verdict });
    const end = makeEnd((options) => clientConnection(client, { ...options, limits }), 'async');
    const server = makeEnd((options) => serverConnection(flows.full.server(), options), 'sync');
    server.connection.receive(drain(end));
    end.connection.receive(drain(server));
    expect(end.connection.waiting).toBe(true);
    return { end, server, decide: decide! };
  };
  const later = () => new Promise(setImmediate);

  it('bytes up to the limit are kept, in order', async () => {
    const { end, server, decide } = waiting();
    // A record that will be judged in its turn: no application data before the handshake is complete.
    end.connection.receive(concat(fromHex('1703034000'), new Uint8Array(0x4000)));
    expect(end.connection.takeEvents()).toEqual([]);
    decide();
    await later();
    drain(end);
    expect(theEvent(end, 'close')).toMatchObject({ error: { alert: 'unexpected_message' } });
    expect(server.connection.state).toBe('handshake');
  });

  it('more than that ends the connection, and the late answer is dropped', async () => {
    const { end, decide } = waiting();
    const record = concat(fromHex('1703034000'), new Uint8Array(0x4000));
    let kept = 0;
    while (end.connection.state === 'handshake' && kept < 1e6) {
      end.connection.receive(record.slice());
      kept += record.length;
    }
    drain(end);
    expect(kept).toBeLessThan(defaultLimits.maxBufferedLength + 2 * record.length);
    expect(theEvent(end, 'close')).toMatchObject({
      error: { alert: 'unexpected_message', message: 'got more than one flight before it was our turn' },
    });
    decide();
    await later();
    expect([drain(end).length, end.wakes]).toEqual([0, 0]);
  });

  it('the limit is an option', () => {
    const { end } = waiting({ maxBufferedLength: 2000 });
    end.connection.receive(new Uint8Array(1000));
    expect(end.connection.state).toBe('handshake');
    end.connection.receive(new Uint8Array(1000));
    end.connection.receive(new Uint8Array(1000));
    expect(end.connection.state).toBe('closed');
  });
});

describe('a peer that never ends', () => {
  it('record after record of one byte is delivered, and nothing is kept', () => {
    const { client, server } = open();
    for (let i = 0; i < 5000; i++) client.connection.write(Uint8Array.of(i));
    const stream = client.connection.takeOutput();
    const before = process.memoryUsage().heapUsed;
    let received = 0;
    for (let at = 0; at < stream.length; at += 100) {
      server.connection.receive(stream.subarray(at, at + 100));
      for (const event of server.connection.takeEvents()) if (event.type === 'data') received += event.data.length;
    }
    expect(received).toBe(5000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6);
  });

  it('empty records are allowed in number, and again after each that is not empty', () => {
    const replay = new Replay(flows.full, 'server').send(...itemsFrom(record(flows.full), 'client'));
    replay.events();
    const empty = { contentType: 23, bytes: new Uint8Array(0) };
    for (let round = 0; round < 3; round++) {
      replay.send(...Array.from({ length: maxConsecutiveEmptyRecords }, () => empty), {
        contentType: 23,
        bytes: fromHex('41'),
      });
      expect(replay.events()).toEqual([{ type: 'data', data: fromHex('41'), early: false }]);
    }
    replay.send(...Array.from({ length: maxConsecutiveEmptyRecords + 1 }, () => empty));
    expect(theEvent(replay.end, 'close')).toMatchObject({ error: { alert: 'unexpected_message' } });
  });

  it('warnings are counted over the whole life of a connection', () => {
    const replay = new Replay(flows.full, 'server');
    const warning = { contentType: 21, bytes: fromHex('015a') };
    replay.send(...Array.from({ length: 4 }, () => warning), ...itemsFrom(record(flows.full), 'client'));
    replay.send(...Array.from({ length: 4 }, () => warning));
    expect([replay.end.connection.state, eventsOf(replay.end, 'warning').length]).toEqual([
      'open',
      defaultLimits.maxWarnings,
    ]);
    replay.send(warning);
    expect(replay.end.connection.state).toBe('closed');
  });

  it('a huge length is refused by its header: nothing is allocated for it', () => {
    for (const header of ['01ffffff', '01020000', '0bffffff']) {
      const replay = new Replay(flows.full, 'server').sendBytes(concat(fromHex('1603030004'), fromHex(header)));
      expect(theEvent(replay.end, 'close')).toMatchObject({ error: { alert: 'illegal_parameter' } });
    }
    const patient = new Replay(flows.full, 'server').sendBytes(fromHex('16030300040101fffc'));
    expect(patient.end.connection.state).toBe('handshake');
  });

  it('hello after hello in bits: what waits is one message of the longest allowed', () => {
    const replay = new Replay(flows.full, 'server');
    const chunk = concat(fromHex('1603034000'), new Uint8Array(0x4000));
    replay.sendBytes(fromHex('16030300040101fffc'));
    let sent = 0;
    while (replay.end.connection.state === 'handshake' && sent < 1e6) {
      replay.end.connection.receive(chunk.slice());
      sent += 0x4000;
    }
    expect(sent).toBeLessThanOrEqual(defaultLimits.maxHandshakeMessageLength + 0x4000);
    expect(replay.events()).toMatchObject([{ type: 'close', reason: 'error' }]);
  });
});

describe('a peer that is slow', () => {
  /** A Certificate of that many bytes, in records of `recordLength`. */
  const certificate = (length: number, recordLength: number) => {
    const message = encodeHandshake('TLSv1.2', {
      type: 'certificate',
      body: { certificateList: [new Uint8Array(length)] },
    });
    const records: Uint8Array[] = [];
    for (let at = 0; at < message.length; at += recordLength) {
      const part = message.subarray(at, at + recordLength);
      records.push(concat(Uint8Array.of(22, 3, 3, part.length >> 8, part.length & 0xff), part));
    }
    return join(records);
  };
  const [serverHello] = itemsFrom(record(flows.full), 'server');

  /** CPU microseconds to take the stream byte by byte; the best of a few, as the machine has other work. */
  const costOf = (stream: Uint8Array) => {
    let best = Infinity;
    for (let attempt = 0; attempt < 3; attempt++) {
      const { connection } = new Replay(flows.full, 'client').send(serverHello!).end;
      const begun = process.cpuUsage();
      for (let i = 0; i < stream.length; i++) connection.receive(stream.subarray(i, i + 1));
      const { user, system } = process.cpuUsage(begun);
      expect(connection.takeEvents()).toMatchObject([{ type: 'close', error: { alert: 'unknown_ca' } }]);
      best = Math.min(best, user + system);
    }
    return best;
  };

  it.each([
    ['100 KB', 'in records as long as they can be', 0x4000, 100_000],
    ['40 KB', 'in records of one byte', 1, 40_000],
  ])(
    'a message of %s, byte by byte, %s, costs in proportion to its length',
    (_length, _records, recordLength, length) => {
      costOf(certificate(2000, recordLength));
      const short = costOf(certificate(length / 8, recordLength));
      const long = costOf(certificate(length, recordLength));
      // Eight times the bytes; were the cost quadratic, it would be 64 times as much.
      expect(long / short).toBeLessThan(24);
    },
  );
});

it('a peer that says nothing costs nothing, and the end of the transport ends it', async () => {
  const { client } = await settle(makePair(flows.full.client(), flows.full.server(), { driver: 'async' }));
  expect(client.connection.state).toBe('open');
  const silent = new Replay(flows.full, 'server');
  expect([silent.said(), silent.events()]).toEqual([[], []]);
  silent.end.connection.receiveEnd();
  expect(silent.events()).toEqual([{ type: 'close', reason: 'truncated' }]);
});
