/**
 * Round trips to the first byte of a response, measured on a link with delay.
 *
 * The link is simulated and so is its clock: the connections are those of the core, which has no I/O and reads no clock, so what
 * passes in either direction takes exactly half a round trip, and computing takes no time at all. TCP's own handshake is on the
 * link as two packets, SYN and SYN-ACK.
 */
import { ascii } from '../../bytes.js';
import { clientConnection, serverConnection, type Connection } from '../../connection/connection.js';
import type { ClientSettings, ServerSettings } from '../../handshake/settings.js';
import type { Session } from '../../sessions/session.js';

export interface Timing {
  /** Simulated milliseconds from the first packet to the first byte of the response. */
  readonly milliseconds: number;
  /** Round trips, as measured: until TCP is connected, until the request leaves, until the response begins, and all. */
  readonly tcp: number;
  readonly tls: number;
  readonly http: number;
  readonly total: number;
}

/** The clock of a link, milliseconds: settings and stores read it as `now`. */
export interface SimulatedClock {
  now: number;
}

const request = ascii('GET / HTTP/1.1\r\nHost: example.test\r\n\r\n');
const response = ascii('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');

/**
 * One request over a new connection, and the session that it left; `oneWay` is the delay of the link in milliseconds. Throws where
 * no response comes.
 */
export function timeRequest(
  clock: SimulatedClock,
  oneWay: number,
  settings: { readonly client: ClientSettings; readonly server: ServerSettings },
): { readonly timing: Timing; readonly session: Session | undefined } {
  const start = clock.now;
  const queue: { readonly at: number; readonly arrive: () => void }[] = [];
  const send = (arrive: () => void) => queue.push({ at: clock.now + oneWay, arrive });
  const times: { connected?: number; requested?: number; answered?: number } = {};
  let session: Session | undefined;
  const ends: { client?: Connection; server?: Connection } = {};

  const flush = (from: Connection, to: () => Connection | undefined) => {
    const bytes = from.takeOutput();
    if (bytes.length === 0) return;
    send(() => {
      const receiver = to();
      receiver?.receive(bytes);
      if (receiver === ends.client) runClient();
      else runServer();
    });
  };
  const runClient = () => {
    const { client } = ends;
    if (client === undefined) return;
    if (times.requested === undefined && client.earlyDataAllowance >= request.length) {
      times.requested = clock.now;
      client.writeEarlyData(request);
    }
    for (const event of client.takeEvents()) {
      if (event.type === 'handshake' && times.requested === undefined) {
        times.requested = clock.now;
        client.write(request);
      } else if (event.type === 'session') session ??= event.session;
      else if (event.type === 'data') times.answered ??= clock.now;
    }
    flush(client, () => ends.server);
  };
  const runServer = () => {
    const { server } = ends;
    if (server === undefined) return;
    for (const event of server.takeEvents())
      if (event.type === 'data') {
        if (event.early) server.writeHalfRtt(response);
        else server.write(response);
      }
    flush(server, () => ends.client);
  };

  // SYN, SYN-ACK, and the ClientHello with the ACK.
  send(() => {
    ends.server = serverConnection(settings.server, { driver: 'sync' });
    send(() => {
      times.connected = clock.now;
      ends.client = clientConnection(settings.client, { driver: 'sync' });
      runClient();
    });
  });
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    clock.now = next.at;
    next.arrive();
  }
  const { connected, requested, answered } = times;
  if (connected === undefined || requested === undefined || answered === undefined)
    throw new Error('no response came over the simulated link');
  const trips = (milliseconds: number) => milliseconds / (2 * oneWay);
  return {
    session,
    timing: {
      milliseconds: answered - start,
      tcp: trips(connected - start),
      tls: trips(requested - connected),
      http: trips(answered - requested),
      total: trips(answered - start),
    },
  };
}
