/** As `makeTls13World`, whose servers send two tickets: whole connections, and what they leave with the client. */
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import { makeTls13World, sessionsOf, type Tls13World } from './attack-rig-tls13.js';
import { makePair, pump, type Changes, type Pair } from './connections.js';

export interface World13 extends Tls13World {
  connect(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Pair;
  /** The tickets of a full handshake, a second ago. */
  sessions(client?: Changes<ClientOptions>, server?: Changes<ServerOptions>): Tls13Session[];
}

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
  return { ...world, server, connect, sessions, session };
}
