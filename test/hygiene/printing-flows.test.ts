/** Nothing that a user may print holds a secret, in whatever state it is: every flow, with the ways in which each ends. */
import { describe, expect, it } from 'vitest';
import { clientSessionState, sessionState } from '../../src/sessions/session-state.js';
import { play } from '../flows/house.js';
import { scenarios } from '../flows/scenarios.js';
import { ticketKey, type Pair } from '../support/connections.js';
import { seededCrypto } from '../support/seeded.js';
import { makeRecorder } from './recorder.js';
import { SecretSearch } from './secret-search.js';

const backend = 'node';

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (name, scenario) => {
  it('prints no secret', async () => {
    const recorder = makeRecorder();
    let made = 0;
    const crypto = () => recorder.wrap(seededCrypto(backend, `${name} printed ${made++}`));
    const watched: typeof scenario = {
      ...scenario,
      client: (house) => ({ crypto: crypto(), ...scenario.client?.(house) }),
      server: (house) => ({ crypto: crypto(), ...scenario.server?.(house) }),
    };
    const seen: { title: string; objects: unknown[] }[] = [];
    const house = await play(watched, backend, scenario.asynchronousOnly === true ? 'async' : 'sync', (step, pair) => {
      seen.push({ title: step.title, objects: ofPair(pair) });
      endAll(pair);
      seen.push({ title: `${step.title}, closed`, objects: ofPair(pair) });
    });
    const { store, clientStore, ring, sealer, counters, guard, sessions } = house;
    const read = sessions.flatMap((session) => [
      clientSessionState.decode(clientSessionState.encode(session)),
      sessionState.decode(sessionState.encode(session)),
    ]);
    const status = [store.statistics(), clientStore.statistics(), ring.status()];
    seen.push({
      title: 'what remains',
      objects: [store, clientStore, ring, sealer, counters, guard, sessions, read, status],
    });

    const search = new SecretSearch();
    for (const { name: secret, value } of recorder.secrets) search.add(secret, value);
    const { aesKey, hmacKey } = ticketKey(backend, 'first');
    search.add('ticket AES key', aesKey);
    search.add('ticket HMAC key', hmacKey);
    expect(search.size).toBeGreaterThan(100);
    for (const { title, objects } of seen) expect(search.findPrinted(objects), title).toBe(undefined);
  });
});

function ofPair(pair: Pair): unknown[] {
  return [pair.client, pair.server].flatMap(({ connection, events }) => [
    connection,
    connection.handshake,
    [...events],
    events.flatMap((event) => (event.type === 'close' && event.error !== undefined ? [event.error] : [])),
  ]);
}

function endAll(pair: Pair): void {
  for (const end of [pair.client, pair.server]) {
    end.connection.close();
    end.connection.destroy();
    end.connection.takeOutput();
    end.events.push(...end.connection.takeEvents());
  }
}
