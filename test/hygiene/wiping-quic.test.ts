/** RFC 9001 4.1.4: secrets go to the stack as copies; what the handshake itself held is wiped when it is over, at whatever step. */
import { describe, expect, it } from 'vitest';
import { drainQuic, hear, makeQuicWorld, quicEvents, settleQuic, type QuicEnd } from '../support/quic.js';
import { seededCrypto } from '../support/seeded.js';
import { makeRecorder } from './recorder.js';

const sides = ['client', 'server'] as const;
const world = makeQuicWorld();
const session = world.session();

/** What was told is the stack's; the session that was offered is the caller's. */
const handedOver = (end: QuicEnd) => [
  ...quicEvents(end, 'secret').map(({ secret }) => secret),
  ...quicEvents(end, 'session').flatMap(({ session: told }) => (told.version === 'TLSv1.3' ? [told.psk] : [])),
  session.psk,
];

describe.each(sides.flatMap((side) => [[side, 'full'] as const, [side, 'early data'] as const]))(
  'the %s, %s',
  (side, kind) => {
    const begin = () => {
      const recorder = makeRecorder();
      const watched = { crypto: recorder.wrap(seededCrypto('node', `quic wiped ${side} ${kind}`)) };
      const offer = kind === 'full' ? {} : { session, earlyData: true };
      const pair = world.pair({ ...offer, ...(side === 'client' && watched) }, { ...(side === 'server' && watched) });
      return { recorder, pair, own: pair[side] };
    };

    it.each<readonly [string, (end: QuicEnd) => void]>([
      ['destroy', ({ quic }) => quic.destroy()],
      ['bytes that are no message', ({ quic }) => quic.receive('initial', Uint8Array.of(99, 0, 0, 0))],
    ])('after %s at any step nothing is left', (_, end) => {
      for (let flights = 0; flights < 8; flights++) {
        const { recorder, pair, own } = begin();
        for (let flight = 0; flight < flights; flight++) {
          const [from, to] = flight % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
          for (const { level, data } of drainQuic(from)) hear(to, level, data);
        }
        drainQuic(own);
        end(own);
        drainQuic(own);
        own.quic.destroy();
        expect([recorder.unwiped(handedOver(own)), recorder.alive()], `after ${flights} flights`).toEqual([[], 0]);
      }
    });

    it('an open one keeps what exporters and tickets need', async () => {
      const { recorder, pair, own } = begin();
      await settleQuic(pair);
      expect(own.quic.state).toBe('open');
      const names = recorder.holding(handedOver(own));
      expect(names.filter((name) => name !== 'HMAC key' && name !== 'tls13 e exp master')).toEqual([]);
      expect(recorder.alive()).toBe(0);
      own.quic.destroy();
      expect(recorder.unwiped(handedOver(own))).toEqual([]);
    });
  },
);
