/**
 * At every wait of every flow, on both sides: everything but what is awaited. Each must end the connection with exactly one
 * fatal alert, tell the owner exactly once, and leave nothing that can still be spoken to.
 */
import { describe, expect, it } from 'vitest';
import { alertDescriptions, type AlertDescription } from '../../src/alert.js';
import { concat, fromHex } from '../../src/bytes.js';
import { contentTypes, handshakeTypes } from '../../src/parameters.js';
import { flows, itemName, itemsFrom, otherSide, record, Replay, sides, type Recording } from '../support/replay.js';
import { stride } from '../support/thorough.js';
import { alertsOf, type Item, type Side } from '../support/traffic.js';

type Injection = Pick<Item, 'contentType' | 'bytes'>;

/** Those whose waits differ. */
const { withSessionId: _likeFull, refused: _likeWithTicket, ...distinct } = flows;
const recordings = Object.values(distinct).map(record);

/** Well-formed messages of each type; those that TLS 1.2 here does not have are as other specifications write them. */
const handshakeMessages = new Map<string, Injection>([
  ...recordings.flatMap(({ items }) =>
    items
      .filter(({ contentType }) => contentType === contentTypes.handshake)
      .map((item): [string, Injection] => [itemName(item), item]),
  ),
  ...(
    [
      ['hello_request', '00000000'],
      ['hello_verify_request (RFC 6347)', '03000003' + 'feff00'],
      ['end_of_early_data', '05000000'],
      ['encrypted_extensions', '08000002' + '0000'],
      ['certificate_url (RFC 6066)', '15000001' + '00'],
      ['certificate_status', '16000008' + '01000004' + '30020500'],
      ['supplemental_data (RFC 4680)', '17000003' + '000000'],
      ['key_update', '18000001' + '00'],
      ['compressed_certificate', '19000009' + '0001' + '000001' + '000001' + '00'],
      ['message_hash', 'fe000020' + '5a'.repeat(32)],
      ['unassigned type 99', '63000000'],
    ] as const
  ).map(([name, hex]): [string, Injection] => [name, { contentType: contentTypes.handshake, bytes: fromHex(hex) }]),
]);

const changeCipherSpec: Injection = { contentType: contentTypes.change_cipher_spec, bytes: Uint8Array.of(1) };
const applicationData: Injection = { contentType: contentTypes.application_data, bytes: fromHex('474554') };

const injections = new Map<string, Injection>([
  ...handshakeMessages,
  ['change_cipher_spec', changeCipherSpec],
  ['application_data', applicationData],
  ['heartbeat', { contentType: contentTypes.heartbeat, bytes: fromHex('01000000') }],
  ['content type 99', { contentType: 99, bytes: fromHex('00') }],
]);

const alert = (level: number, description: AlertDescription): Injection => ({
  contentType: contentTypes.alert,
  bytes: Uint8Array.of(level, alertDescriptions[description]),
});

it('the table of messages has all that the flows say, and every type that has a name', () => {
  expect(new Set(handshakeMessages.keys())).toEqual(
    new Set([
      ...Object.keys(handshakeTypes),
      'hello_verify_request (RFC 6347)',
      'certificate_url (RFC 6066)',
      'supplemental_data (RFC 4680)',
      'unassigned type 99',
    ]),
  );
});

const cases = recordings.flatMap((recording) =>
  sides.map((target) => [recording.flow.name, target, recording] as const),
);

describe.each(cases)('%s: the %s', (_, target, recording) => {
  const incoming = itemsFrom(recording, otherSide(target));
  const waits = incoming.map((item, at) => [at, itemName(item)] as const);
  // Of what may come one flow tries the first, the next the second; all of it in the slow tests.
  const some = [...injections].filter((_one, i) => (i + recordings.indexOf(recording)) % stride(3) === 0);

  /** The target, having heard everything before the `at`-th message of its peer. */
  const before = (at: number) => {
    const replay = new Replay(recording.flow, target).send(...incoming.slice(0, at));
    replay.said();
    replay.events();
    return replay;
  };

  it.each(waits)(
    'R5246-7.3-1 R5077-3.3-1 R5246-7.4.9-2 R5246-7.4.9-3 P-state-5 at message %i, waiting for %s, takes nothing else',
    (at, awaited) => {
      for (const [name, injection] of some) {
        if (name === awaited || isAlternative(target, incoming, at, name)) continue;
        if (target === 'client' && name === 'hello_request') continue; // see below
        const replay = before(at).send(injection);
        expectEnd(replay, 'unexpected_message', incoming.slice(at), `${name} instead of ${awaited}`);
      }
    },
  );

  it('an alert at any wait: fatal ones end it in silence, warnings are told', () => {
    for (const [at] of waits) {
      for (const [level, description] of [
        [2, 'handshake_failure'],
        [2, 'close_notify'],
        [1, 'close_notify'],
      ] as const) {
        const replay = before(at).send(alert(level, description));
        expect(replay.said()).toEqual([]);
        expect(replay.events()).toMatchObject([
          { type: 'close', reason: 'error', error: { code: 'peer_alert', alert: description } },
        ]);
        expectSilence(replay, incoming.slice(at));
      }
      const replay = before(at).send(alert(1, 'user_canceled'));
      expect(replay.events()).toEqual([{ type: 'warning', alert: 'user_canceled' }]);
      expectCompletion(replay, recording, incoming.slice(at));
    }
  });

  it('the transport ends at any wait', () => {
    for (const [at] of waits) {
      const replay = before(at);
      replay.end.connection.receiveEnd();
      expect(replay.said()).toEqual([]);
      expect(replay.events()).toEqual([{ type: 'close', reason: 'truncated' }]);
      expectSilence(replay, incoming.slice(at));
    }
  });

  it('P-state-5 a message is missing', () => {
    for (const [at, name] of waits.slice(0, -1)) {
      const replay = before(at).send(...incoming.slice(at + 1));
      // A client cannot know that it was to be asked for a certificate: the transcripts differ then.
      expectEnd(replay, name === 'certificate_request' ? 'decrypt_error' : 'unexpected_message', [], `without ${name}`);
    }
  });

  it('two neighbours are swapped', () => {
    for (const [at, name] of waits.slice(0, -1)) {
      const replay = before(at).send(incoming[at + 1]!, incoming[at]!);
      expectEnd(replay, 'unexpected_message', incoming.slice(at + 2), `${name} after its successor`);
    }
  });

  it('a message comes twice', () => {
    for (const [at, name] of waits) {
      const replay = before(at).send(incoming[at]!);
      replay.said();
      replay.events();
      replay.send(incoming[at]!);
      if (target === 'server' && name === 'client_hello' && incoming.length === 1) continue;
      expectEnd(replay, 'unexpected_message', incoming.slice(at + 1), `${name} twice`);
    }
  });

  it('P-state-4 R8446-5.1-1 no other record may stand inside a message', () => {
    for (const [at, name] of waits) {
      const { contentType, bytes } = incoming[at]!;
      if (contentType !== contentTypes.handshake) continue;
      for (const intruder of [changeCipherSpec, applicationData]) {
        const replay = before(at).send({ contentType, bytes: bytes.subarray(0, 3) }, intruder);
        expectEnd(replay, 'unexpected_message', [], `${itemName(intruder)} inside ${name}`);
      }
    }
  });

  it('P-state-4 R5246-7.1-1 no part of a message may wait when keys change', () => {
    const at = incoming.findIndex(({ contentType }) => contentType === contentTypes.change_cipher_spec);
    const finished = incoming[at + 1]!;
    const half = { contentType: finished.contentType, bytes: finished.bytes.subarray(0, 7) };
    expectEnd(before(at).send(half, changeCipherSpec), 'unexpected_message', [], 'half a Finished in the clear');
    expectEnd(before(at).send(finished, changeCipherSpec), 'unexpected_message', [], 'a Finished in the clear');
  });

  it('R5246-7.1-1 a ChangeCipherSpec that is not the one byte 1', () => {
    const at = incoming.findIndex(({ contentType }) => contentType === contentTypes.change_cipher_spec);
    for (const hex of ['00', '02', '0101']) {
      const replay = before(at).send({ ...changeCipherSpec, bytes: fromHex(hex) });
      expectEnd(replay, 'illegal_parameter', incoming.slice(at + 1), `ChangeCipherSpec ${hex}`);
    }
  });

  it('a Finished in the clear after ChangeCipherSpec', () => {
    const { bytes } = incoming.at(-1)!;
    const replay = before(incoming.length - 1).sendBytes(
      concat(fromHex('160303'), Uint8Array.of(0, bytes.length), bytes),
    );
    expectEnd(replay, 'bad_record_mac', [], 'Finished');
  });

  it('R5246-7.4.9-1 a Finished with any byte changed', () => {
    const { contentType, bytes } = incoming.at(-1)!;
    for (let at = 4; at < bytes.length; at++) {
      const forged = bytes.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
      const replay = before(incoming.length - 1).send({ contentType, bytes: forged });
      expectEnd(replay, 'decrypt_error', [], `byte ${at}`);
    }
  });

  it('messages cut by a byte, or a byte too long', () => {
    for (const [at, name] of waits) {
      const { contentType, bytes } = incoming[at]!;
      if (contentType !== contentTypes.handshake) continue;
      const resized = (body: Uint8Array) => {
        const header = Uint8Array.of(bytes[0]!, body.length >> 16, body.length >> 8, body.length);
        return { contentType, bytes: concat(header, body) };
      };
      const body = bytes.subarray(4);
      if (body.length > 0)
        expectEnd(before(at).send(resized(body.subarray(0, -1))), 'decode_error', incoming.slice(at), `${name} cut`);
      // RFC 8446 has longer ones, so the codec takes 13 bytes; they are not the right ones.
      const tooLong = name === 'finished' ? 'decrypt_error' : 'decode_error';
      expectEnd(before(at).send(resized(concat(body, fromHex('00')))), tooLong, incoming.slice(at), `${name} longer`);
    }
  });

  it('R5246-7.4.9-3 after the handshake only application data and alerts', () => {
    for (const [name, injection] of some) {
      if (name === 'application_data') continue;
      const renegotiation = target === 'client' ? 'hello_request' : 'client_hello';
      const replay = before(incoming.length).send(injection);
      if (name !== renegotiation) {
        expectEnd(replay, 'unexpected_message', [applicationData], `${name} in an open connection`);
        continue;
      }
      expect(alertsOf(replay.said()), 'R5746-5-1 R5746-4.2-1 R5746-4.4-1').toEqual(['warning no_renegotiation']);
      replay.send(applicationData);
      expect(replay.events()).toEqual([{ type: 'data', data: applicationData.bytes, early: false }]);
    }
  });

  if (target === 'client') {
    it('R5246-7.4.1.1-1 R5246-7.4.9-4 HelloRequest at any wait is ignored and enters no transcript', () => {
      for (const [at] of waits) {
        const replay = before(at).send(handshakeMessages.get('hello_request')!);
        expect([replay.said(), replay.events()]).toEqual([[], []]);
        expectCompletion(replay, recording, incoming.slice(at));
      }
    });
  }
});

/** Where a wait takes one of two messages. */
function isAlternative(target: Side, incoming: readonly Item[], at: number, name: string): boolean {
  if (target === 'server') return false;
  const awaited = itemName(incoming[at]!);
  const afterKeyExchange = at > 0 && itemName(incoming[at - 1]!) === 'server_key_exchange';
  // No certificate is asked for where none was shown (RFC 5246 7.4.4).
  const mayAsk = afterKeyExchange && incoming.some((item) => itemName(item) === 'certificate');
  return mayAsk && [awaited, name].sort().join() === 'certificate_request,server_hello_done';
}

/** One alert, one event, and nothing more whatever comes. */
function expectEnd(replay: Replay, alert: AlertDescription, later: readonly Injection[], what: string): void {
  const said = replay.said();
  expect(alertsOf(said), what).toEqual([`fatal ${alert}`]);
  expect(said.at(-1)?.contentType, what).toBe(contentTypes.alert);
  const events = replay.events();
  expect(events, what).toMatchObject([{ type: 'close', reason: 'error', error: { alert } }]);
  expectSilence(replay, later);
}

function expectSilence(replay: Replay, later: readonly Injection[]): void {
  const { connection } = replay.end;
  expect(connection.state).toBe('closed');
  for (const injection of [...later, alert(2, 'internal_error'), applicationData])
    connection.receive(replay.seal(injection));
  connection.receiveEnd();
  connection.close();
  connection.destroy();
  expect([replay.said(), replay.events()]).toEqual([[], []]);
  expect(() => connection.write(fromHex('00'))).toThrow(expect.objectContaining({ code: 'connection_not_open' }));
}

/** The rest of the flow goes as it was recorded. */
function expectCompletion(replay: Replay, recording: Recording, rest: readonly Item[]): void {
  replay.send(...rest);
  expect(replay.end.events.filter(({ type }) => type !== 'warning')).toEqual(recording.ends[replay.target].events);
  expect(replay.end.connection.state).toBe('open');
}
