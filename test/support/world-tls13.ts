/** As `makeTls13World`, whose servers send two tickets: whole connections, and what they leave with the client. */
import { ascii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import { makeTls13World, sessionsOf, type Tls13World } from './attack-rig-tls13.js';
import { makePair, pump, type Changes, type Pair } from './connections.js';

export interface World13 extends Tls13World {
  connect(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Pair;
  /** The tickets of a full handshake, a second ago. */
  sessions(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Tls13Session[];
  /** A client that has sent {@link earlyText} with a new ticket, and a server that has not read it. */
  sent(server?: Changes<ServerOptions>, client?: Changes<ClientOptions>, ticket?: Tls13Session): Pair;
}

export const earlyText = ascii('early data');

export function makeWorld13(): World13 {
  const world = makeTls13World();
  const server: World13['server'] = (changes) => world.server({ ticketCount: 2, ...changes });
  const connect: World13['connect'] = (ofClient, ofServer) => pump(makePair(world.client(ofClient), server(ofServer)));
  const sessions: World13['sessions'] = (ofClient, ofServer) => {
    const found = sessionsOf(connect(ofClient, ofServer));
    world.clock.time += 1000;
    return found;
  };
  const session: World13['session'] = (ofClient, ofServer) => {
    const [first] = sessions(ofClient, ofServer);
    if (first === undefined) throw new Error('no ticket came');
    return first;
  };
  const sent: World13['sent'] = (ofServer, ofClient, ticket = session()) => {
    const pair = makePair(world.client({ session: ticket, earlyData: true, ...ofClient }), server(ofServer));
    pair.client.connection.writeEarlyData(earlyText);
    return pair;
  };
  return { ...world, server, connect, sessions, session, sent };
}
