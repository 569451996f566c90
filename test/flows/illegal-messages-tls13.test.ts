/**
 * Every wait of every flow of TLS 1.3, in both roles: each message that has no place there is unexpected_message, and so are a
 * missing message, two in the wrong order, one too many, and handshake data on both sides of a change of keys. The peer that does
 * so has the right keys (see `saboteur.ts`).
 */
import { describe, expect, it } from 'vitest';
import { alertDescriptions, type AlertDescription } from '../../src/alert.js';
import { concat, fromHex } from '../../src/bytes.js';
import { contentTypes, handshakeTypes } from '../../src/parameters.js';
import { theEvent } from '../support/connections.js';
import { tls13Flows, type Tls13Flow } from '../support/flows-tls13.js';
import { sides } from '../support/replay.js';
import {
  applicationData,
  at,
  changeCipherSpec,
  honest,
  nameOf,
  Sabotage,
  type Hand,
  type Injection,
} from '../support/saboteur.js';
import { stride } from '../support/thorough.js';
import type { Side } from '../support/traffic.js';

const flows = Object.values(tls13Flows);

/** What the peer of `side` says in a flow that nobody disturbs, tickets left out. */
function saidTo(flow: Tls13Flow, side: Side): readonly Injection[] {
  return new Sabotage(flow, side, honest).meant.filter((message) => nameOf(message) !== 'new_session_ticket');
}

const handshake = (hex: string): Injection => ({ contentType: contentTypes.handshake, bytes: fromHex(hex) });
const alert = (level: number, description: AlertDescription): Injection => ({
  contentType: contentTypes.alert,
  bytes: Uint8Array.of(level, alertDescriptions[description]),
});

const keyUpdate = handshake('1800000100');

/** Everything of TLS 1.3 as our flows say it, and of TLS 1.2 what is left. */
const injections = new Map<string, Injection>([
  ...flows
    .flatMap((flow) => sides.flatMap((side) => new Sabotage(flow, side, honest).meant))
    .map((message): [string, Injection] => [nameOf(message), message]),
  ...(
    [
      ['hello_request', '00000000'],
      ['server_key_exchange', '0c000000'],
      ['server_hello_done', '0e000000'],
      ['client_key_exchange', '10000000'],
      ['certificate_status', '16000000'],
      ['message_hash', `fe000020${'00'.repeat(32)}`],
      ['unassigned type 99', '63000000'],
    ] as const
  ).map(([name, hex]): [string, Injection] => [name, handshake(hex)]),
  ['key_update', keyUpdate],
  ['change_cipher_spec', changeCipherSpec],
  ['application_data', applicationData],
  ['heartbeat', { contentType: contentTypes.heartbeat, bytes: fromHex('01000000') }],
  ['content type 99', { contentType: 99, bytes: fromHex('00') }],
]);

it('the table of messages has every type that has a name', () => {
  expect([...injections.keys()]).toEqual(
    expect.arrayContaining([...Object.keys(handshakeTypes), 'hello_retry_request']),
  );
});

it('the flows are what their names say', () => {
  const facts = flows.map((flow) => {
    const { target } = new Sabotage(flow, 'server', honest);
    const { mode, earlyData, helloRetryRequest, externalPskIdentity, peerCertificates } = theEvent(target, 'handshake');
    const more = [
      helloRetryRequest && 'retry',
      externalPskIdentity && 'external',
      peerCertificates.length > 0 && 'mutual',
    ];
    return [flow.name, mode, earlyData, ...more.filter(Boolean)].join(', ');
  });
  expect(facts).toEqual([
    'full, full, none',
    'HelloRetryRequest, full, none, retry',
    'mutual, full, none, mutual',
    'mutual without certificate, full, none',
    'certificate compression, full, none, mutual',
    'PSK, psk_dhe_ke, none',
    'PSK, HelloRetryRequest, psk_dhe_ke, none, retry',
    'psk_ke, psk_ke, none',
    'external PSK, psk_dhe_ke, none, external',
    'stateful ticket, psk_dhe_ke, none',
    'early data, psk_dhe_ke, accepted',
    'early data rejected, psk_dhe_ke, rejected',
    'early data rejected by HelloRetryRequest, psk_dhe_ke, rejected, retry',
  ]);
});

const cases = flows.flatMap((flow) => sides.map((target) => [flow.name, target, flow] as const));
/** Of what a wait does not take, one flow tries the first of these, the next the second; all of it in the slow tests. */
const step = stride(3);

describe.each(cases)('%s: the %s', (_, target, flow) => {
  const incoming = saidTo(flow, target);
  const waits = incoming.map((message, place) => [place, nameOf(message)] as const);
  const names = waits.map(([, name]) => name);
  const undisturbed = new Sabotage(flow, target, honest);
  const run = (hand: Hand) => new Sabotage(flow, target, hand);

  it.each(waits)('P-state-5 at message %i, waiting for %s, takes nothing else', (place, awaited) => {
    for (const [i, [name, injection]] of [...injections].entries()) {
      if ((i + flows.indexOf(flow)) % step !== 0 || name === awaited || isAllowed(flow, names, place, name)) continue;
      const sabotage = run(
        at(place, (_message, pen) => {
          pen.write(injection);
          pen.fallSilent();
        }),
      );
      expectEnd(sabotage, 'unexpected_message', `${name} instead of ${awaited}`);
    }
  });

  it('P-state-5 a message is missing', () => {
    for (const [place, name] of waits) {
      const sabotage = run(at(place, () => undefined));
      const expected = withoutIt(flow, target, names, place);
      if (expected !== undefined) expectEnd(sabotage, expected, `without ${name}`);
      else expect([name, sabotage.target.connection.state, closes(sabotage)]).toEqual([name, 'handshake', []]);
    }
  });

  it('two neighbours of one flight are swapped', () => {
    for (const [place, name] of waits.slice(0, -1)) {
      if (name === 'client_hello' || name === 'hello_retry_request') continue;
      let held: Injection | undefined;
      const sabotage = run((message, index, pen) => {
        if (index === place) held = message;
        else pen.write(message, ...(index === place + 1 && held !== undefined ? [held] : []));
      });
      // The saboteur has changed its keys by then, and the target has not.
      const expected = name === 'end_of_early_data' ? 'bad_record_mac' : 'unexpected_message';
      expectEnd(sabotage, expected, `${name} after its successor`);
    }
  });

  it('P-state-4 R8446-5.1-1 a message comes twice, the second time behind itself in one record', () => {
    for (const [place, name] of waits)
      expectEnd(run(at(place, (message, pen) => pen.write(message, message))), 'unexpected_message', `${name} twice`);
  });

  it('P-state-4 R8446-5.1-1 the beginning of a message behind the last one before a change of keys', () => {
    for (const [place, name] of waits) {
      if (!['client_hello', 'hello_retry_request', 'server_hello', 'end_of_early_data', 'finished'].includes(name))
        continue;
      for (const length of [1, 4, 5]) {
        const sabotage = run(
          at(place, (message, pen) => pen.write(message, { ...keyUpdate, bytes: keyUpdate.bytes.subarray(0, length) })),
        );
        expectEnd(sabotage, 'unexpected_message', `${length} bytes behind ${name}`);
      }
    }
  });

  it('P-state-4 another record inside a message', () => {
    for (const [place, name] of waits)
      for (const intruder of [changeCipherSpec, applicationData]) {
        const sabotage = run(
          at(place, (message, pen) => {
            pen.write({ ...message, bytes: message.bytes.subarray(0, 3) });
            pen.write(intruder);
            pen.write({ ...message, bytes: message.bytes.subarray(3) });
          }),
        );
        expectEnd(sabotage, 'unexpected_message', `${nameOf(intruder)} inside ${name}`);
      }
  });

  it('R8446-5-1 a ChangeCipherSpec in the clear is dropped at any wait but the first of the server', () => {
    for (const [place, name] of waits) {
      const sabotage = run(
        at(place, (message, pen) => {
          pen.deliver();
          pen.target.connection.receive(fromHex('140303000101'));
          pen.write(message);
        }),
      );
      if (target === 'server' && place === 0) expectEnd(sabotage, 'unexpected_message', 'before the ClientHello');
      else expectSame(sabotage, undisturbed, `before ${name}`);
    }
  });

  it('R8446-5-1 a ChangeCipherSpec in the clear that is not the one byte 1', () => {
    for (const [place, name] of waits.slice(target === 'server' ? 1 : 0))
      for (const hex of ['140303000100', '14030300020101']) {
        const sabotage = run(
          at(place, (message, pen) => {
            pen.deliver();
            pen.target.connection.receive(fromHex(hex));
            pen.write(message);
          }),
        );
        expectEnd(sabotage, 'unexpected_message', `${hex} before ${name}`);
      }
  });

  it('an alert at any wait: fatal ones end it in silence, user_canceled is told', () => {
    for (const [place, name] of waits) {
      for (const [level, description] of [
        [2, 'handshake_failure'],
        [1, 'close_notify'],
      ] as const) {
        const { target: end, saboteur } = run(
          at(place, (message, pen) => pen.write(alert(level, description), message)),
        );
        expect(
          end.events.filter(({ type }) => type !== 'early_data' && type !== 'data'),
          `${description} before ${name}`,
        ).toMatchObject([{ type: 'close', reason: 'error', error: { code: 'peer_alert', alert: description } }]);
        expect(saboteur.events.filter(({ type }) => type === 'close')).toEqual([]);
      }
      for (const [level, expected] of [
        [0, 'illegal_parameter'],
        [1, 'decode_error'],
        [3, 'illegal_parameter'],
      ] as const) {
        const wrong = run(at(place, (message, pen) => pen.write(alert(level, 'handshake_failure'), message)));
        expectEnd(wrong, expected, `level ${level} before ${name}`);
      }
      const canceled = run(at(place, (message, pen) => pen.write(alert(1, 'user_canceled'), message)));
      expect(canceled.events).toContainEqual({ type: 'warning', alert: 'user_canceled' });
      expectSame(canceled, undisturbed, `user_canceled before ${name}`);
    }
  });

  it('the transport ends at any wait', () => {
    for (const [place, name] of waits) {
      const { events } = run(
        at(place, (_message, pen) => {
          pen.deliver();
          pen.target.connection.receiveEnd();
          pen.fallSilent();
        }),
      );
      expect(events.at(-1), name).toEqual({ type: 'close', reason: 'truncated' });
    }
  });

  it('messages cut by a byte, or a byte too long', () => {
    for (const [place, name] of waits) {
      const resized = (change: (body: Uint8Array) => Uint8Array) =>
        run(
          at(place, ({ contentType, bytes }, pen) => {
            const body = change(bytes.subarray(4));
            const header = Uint8Array.of(bytes[0]!, body.length >> 16, body.length >> 8, body.length);
            pen.write({ contentType, bytes: concat(header, body) });
          }),
        );
      // Its length is that of a hash, and to be a wrong one is all that a Finished can do.
      const expected = name === 'finished' ? 'decrypt_error' : 'decode_error';
      if (name !== 'end_of_early_data')
        expectEnd(
          resized((body) => body.subarray(0, -1)),
          expected,
          `${name} cut by a byte`,
        );
      const longer = resized((body) => concat(body, fromHex('00')));
      expectEnd(longer, expected, `${name} a byte longer`);
    }
  });

  it('R8446-4.4.4-1 a Finished with any byte changed', () => {
    const place = names.lastIndexOf('finished');
    for (let byte = 4; byte < 36; byte += stride(6)) {
      const sabotage = run(
        at(place, ({ contentType, bytes }, pen) =>
          pen.write({ contentType, bytes: bytes.map((value, i) => (i === byte ? value ^ (1 << (byte % 8)) : value)) }),
        ),
      );
      expectEnd(sabotage, 'decrypt_error', `byte ${byte}`);
    }
  });
});

describe.each(sides)('an open connection: the %s', (target) => {
  const open = () => new Sabotage(tls13Flows.full, target, honest);

  it('takes application data, tickets of a server and KeyUpdates, and nothing else', () => {
    for (const [name, injection] of injections) {
      if (name === 'application_data' || name === 'key_update') continue;
      if (name === 'new_session_ticket' && target === 'client') continue;
      expectEnd(open().say(injection), 'unexpected_message', name);
    }
  });

  it.each(['key_update', 'finished', 'certificate_request'])(
    'P-state-4 %s behind a KeyUpdate in one record',
    (name) => {
      expectEnd(open().say(keyUpdate, injections.get(name)!), 'unexpected_message', name);
    },
  );

  it('P-state-4 the beginning of a message behind a KeyUpdate', () => {
    for (const length of [1, 4])
      expectEnd(
        open().say(keyUpdate, { ...keyUpdate, bytes: keyUpdate.bytes.subarray(0, length) }),
        'unexpected_message',
        `${length} bytes`,
      );
  });

  it('R8446-4.6.3-1 a KeyUpdate that says neither yes nor no, or more', () => {
    expectEnd(open().say(handshake('1800000102')), 'illegal_parameter', '2');
    expectEnd(open().say(handshake('180000020000')), 'decode_error', 'two bytes');
    expectEnd(open().say(handshake('18000000')), 'decode_error', 'empty');
  });

  it('R8446-5-1 a ChangeCipherSpec, in the clear too, is unexpected', () => {
    const sabotage = open();
    sabotage.target.connection.receive(fromHex('140303000101'));
    sabotage.pump();
    expectEnd(sabotage, 'unexpected_message', 'after the handshake');
  });
});

/** Where a wait takes another message as well, or drops it. */
function isAllowed(flow: Tls13Flow, names: readonly string[], place: number, name: string): boolean {
  const awaited = names[place]!;
  const isFirst = place === 0;
  if (name === 'change_cipher_spec')
    return (
      awaited.startsWith('server_hello') ||
      awaited.startsWith('hello_retry') ||
      (awaited === 'client_hello' && !isFirst)
    );
  if (name === 'application_data')
    return awaited === 'end_of_early_data' || (flow.early.length > 0 && awaited === 'client_hello' && !isFirst);
  if (isFirst && awaited === 'server_hello') return name === 'hello_retry_request';
  if (isFirst && awaited === 'hello_retry_request') return name === 'server_hello';
  const certificates = ['certificate', 'compressed_certificate', 'certificate_request'];
  if (names.includes('encrypted_extensions') && certificates.includes(awaited) && certificates.includes(name)) {
    // The client's wait before it knows whether it is asked for a certificate.
    const afterRequest = names[place - 1] === 'certificate_request';
    if (name === 'compressed_certificate' || awaited === 'compressed_certificate')
      return flow === tls13Flows.compressed && (name !== 'certificate_request' || !afterRequest);
    return name === 'certificate' || !afterRequest;
  }
  return flow === tls13Flows.compressed && awaited === 'compressed_certificate' && name === 'certificate';
}

/** What comes of a message that is left out; `undefined`: nothing follows, and the target goes on waiting. */
function withoutIt(
  flow: Tls13Flow,
  target: Side,
  names: readonly string[],
  place: number,
): AlertDescription | undefined {
  const name = names[place]!;
  if (name === 'finished' || name === 'hello_retry_request') return undefined;
  if (name === 'client_hello') return place === 0 && flow.early.length > 0 ? 'unexpected_message' : undefined;
  // The transcripts differ: a client cannot know that it was to be asked.
  if (name === 'certificate_request') return 'decrypt_error';
  // What follows is under other keys.
  if (target === 'server' && name === 'end_of_early_data') return 'bad_record_mac';
  return 'unexpected_message';
}

const closes = ({ events }: Sabotage) => events.filter(({ type }) => type === 'close');

/** One alert, which the saboteur hears, one event, and nothing more whatever comes. */
function expectEnd(sabotage: Sabotage, expected: AlertDescription, what: string): void {
  const { target, saboteur } = sabotage;
  expect(closes(sabotage), what).toMatchObject([
    { reason: 'error', error: { name: expect.stringMatching(/^(Alert|Decode)Error$/) as string, alert: expected } },
  ]);
  expect(target.connection.state, what).toBe('closed');
  const heard = saboteur.events.filter(({ type }) => type === 'close');
  // While a client writes under the keys of early data, a server that skips those records skips an alert as well.
  const isRejected = sabotage.flow.early.length > 0 && saboteur.hs.earlyData.outcome !== 'accepted';
  const isSkipped = target.connection.role === 'client' && isRejected;
  if (!isSkipped || heard.length > 0)
    expect(heard, what).toMatchObject([{ reason: 'error', error: { code: 'peer_alert', alert: expected } }]);
  const events = target.events.length;
  sabotage.say(applicationData);
  target.connection.receiveEnd();
  expect([target.connection.takeOutput(), target.connection.takeEvents(), target.events.length], what).toEqual([
    new Uint8Array(0),
    [],
    events,
  ]);
}

/** The flow ended as the one that nobody disturbed. */
function expectSame(sabotage: Sabotage, undisturbed: Sabotage, what: string): void {
  expect(sabotage.target.connection.state, what).toBe('open');
  expect(
    sabotage.events.filter(({ type }) => type !== 'warning'),
    what,
  ).toEqual(undisturbed.events);
}
