/**
 * Attack 52, "extended master secret calculation failure ignored" and its like: whichever call of the backend fails, nothing
 * goes on with zeros or with the keys of before.
 */
import { describe, expect, it } from 'vitest';
import { makePair, pump, theEvent } from '../support/connections.js';
import { BackendFailure, failingCrypto } from '../support/failing-crypto.js';
import { RecordingStore } from '../support/recording-store.js';
import { flows, otherSide, sides, type Flow } from '../support/replay.js';
import type { Side } from '../support/traffic.js';

const cases = [flows.mutual, flows.withSessionId, flows.sessionId, flows.ticket, flows.renewed].flatMap((flow) =>
  sides.map((side) => [flow.name, side, flow] as const),
);

/** The flow with a backend of one side that fails. */
function play(flow: Flow, side: Side, failsAt: number, goesOn = false) {
  const settings = { client: flow.client(), server: flow.server() };
  const { crypto, calls } = failingCrypto(settings[side].crypto, failsAt, goesOn);
  const { sessions } = settings.server;
  const before = sessions instanceof RecordingStore ? new Map(sessions.entries) : undefined;
  const pair = pump(
    side === 'client'
      ? makePair({ ...settings.client, crypto }, settings.server)
      : makePair(settings.client, { ...settings.server, crypto }),
  );
  const after = sessions instanceof RecordingStore ? sessions.entries : undefined;
  return { pair, calls: calls(), before, after };
}

describe.each(cases)('%s: the %s', (_, side, flow) => {
  const { calls } = play(flow, side, Infinity);

  it.each([
    ['one call', false],
    ['one call and all that follow', true],
  ])('P-state-2 %s of the backend fails, whichever it is', (_, goesOn) => {
    expect(calls).toBeGreaterThan(10);
    for (let failsAt = 1; failsAt <= calls; failsAt++) {
      const { pair, before, after } = play(flow, side, failsAt, goesOn);
      const own = pair[side];
      const close = theEvent(own, 'close');
      expect(close, `call ${failsAt}`).toMatchObject({
        reason: 'error',
        error: { name: 'AlertError', alert: 'internal_error', cause: expect.any(Error) as Error },
      });
      expect(close.error?.cause instanceof BackendFailure, `call ${failsAt}`).toBe(true);
      expect(own.events, `call ${failsAt}`).toEqual([close]);
      expect(own.connection.state).toBe('closed');
      if (side === 'server') expect(after, `call ${failsAt}`).toEqual(before);
      // A backend that is broken for good protects no alert either.
      if (goesOn) continue;
      // A record that could not be sealed has used up its number, so what follows it does not verify.
      const sealing = close.error?.cause instanceof BackendFailure && close.error.cause.message.startsWith('seal');
      const heard = { error: sealing ? { code: 'bad_record_mac' } : { code: 'peer_alert', alert: 'internal_error' } };
      expect(theEvent(pair[otherSide(side)], 'close'), `call ${failsAt}`).toMatchObject(heard);
    }
  });
});
