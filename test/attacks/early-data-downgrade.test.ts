/**
 * Downgrade with early data (RFC 8446 D.3): a server that was rolled back to TLS 1.2 chokes on early records. The client says what
 * happened, and what helps.
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { AlertError } from '../../src/errors.js';
import { makeTls13World, pairOf, pass, rogueClient, rogueServer } from '../support/attack-rig-tls13.js';
import { eventsOf, makePair, pump, theEvent, type Pair } from '../support/connections.js';

const bothVersions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
const rolledBack = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', earlyData: undefined } as const;

function downgraded(earlyData: boolean): Pair {
  const world = makeTls13World();
  const session = world.session(bothVersions, bothVersions);
  const client = rogueClient(world.client({ ...bothVersions, session, earlyData }));
  if (earlyData) client.connection.writeEarlyData(ascii('early'));
  const pair = { ...makePair(world.client(), world.server(rolledBack)), client };
  pass(client, pair.server);
  return pump(pair);
}

describe('a server that has gone back to TLS 1.2', () => {
  it('R8446-D.3-1 in answer to early data: protocol_version, and the error says what helps', () => {
    const { client } = downgraded(true);
    const { error } = theEvent(client, 'close');
    expect(error).toBeInstanceOf(AlertError);
    expect(error).toMatchObject({
      code: 'protocol_version',
      message: expect.stringMatching(/without early data/) as string,
    });
    expect(eventsOf(client, 'handshake')).toEqual([]);
  });

  it('R8446-D.3-1 the next attempt without early data connects, in TLS 1.2 and in full', () => {
    expect(theEvent(downgraded(false).client, 'handshake')).toMatchObject({ version: 'TLSv1.2', mode: 'full' });
  });

  it('R8446-D.3-1 a server that could speak TLS 1.3 and says TLS 1.2: illegal_parameter by its marker', () => {
    const world = makeTls13World();
    const session = world.session(bothVersions, bothVersions);
    const client = rogueClient(world.client({ ...bothVersions, session, earlyData: true }));
    // Somebody took the versions out of the hello.
    const fooled = rogueClient(world.client({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }));
    const server = rogueServer(world.server(bothVersions));
    pass(fooled, server);
    const answer = server.connection.takeOutput();
    client.connection.receive(answer);
    client.events.push(...client.connection.takeEvents());
    expect(theEvent(client, 'close').error).toMatchObject({ code: 'illegal_parameter' });
    expect(pairOf(client, server).segments).toEqual([]);
  });
});
