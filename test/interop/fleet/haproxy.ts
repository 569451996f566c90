/** `haproxy` with files of its own on a free loopback port; it answers each request itself with what it thinks of the connection. */
import { authority, identities } from '../../support/identities.js';
import { freePort, type Peer } from '../../support/peers.js';
import { startInFolder, type FleetServer } from './rig.js';

export interface HaproxyOptions {
  /** Of `tls-ticket-keys`: three lines at least, of which the last but one seals. */
  readonly ticketKeys: string;
  /** More words for its `bind` line. */
  readonly bind?: string;
}

export async function startHaproxy({ path }: Peer, { ticketKeys, bind = '' }: HaproxyOptions): Promise<FleetServer> {
  const port = await freePort();
  const server = await startInFolder({
    files: {
      'cert.pem': identities.ecdsa.cert + identities.ecdsa.key,
      'ca.pem': authority.cert,
      'ticket.keys': ticketKeys,
      'haproxy.cfg': configuration(port, bind),
    },
    command: path,
    arguments: (folder) => ['-db', '-C', folder, '-f', 'haproxy.cfg'],
    port,
    ready: 'accepts_connections',
  });
  return { name: 'haproxy', resumedWord: '1', fullWord: '0', ...server };
}

const configuration = (port: number, bind: string) => `
global
  nbthread 1
  maxconn 100
defaults
  mode http
  timeout client 10s
  timeout http-request 10s
frontend tls
  bind 127.0.0.1:${port} ssl crt cert.pem ssl-min-ver TLSv1.2 tls-ticket-keys ticket.keys ${bind}
  http-request return status 200 content-type application/json lf-string '{"protocol":"%[ssl_fc_protocol]","reused":"%[ssl_fc_is_resumed]"}'
`;
