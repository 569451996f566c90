/**
 * `apache2` in the foreground, with files of its own, on a free loopback port. It has no variable for a page of text without more
 * modules, so what it thinks of the connection stands in a header.
 */
import { authority, identities } from '../../support/identities.js';
import { freePort, type Peer } from '../../support/peers.js';
import { startInFolder, type FleetServer } from './rig.js';

export interface ApacheOptions {
  /** Of `SSLSessionTicketKeyFile`. */
  readonly ticketKeys: Uint8Array;
  /** With a port or without one. The session id context is made of it. */
  readonly serverName?: string;
  /** Go into its virtual host. */
  readonly directives?: string;
}

export async function startApache({ path }: Peer, options: ApacheOptions): Promise<FleetServer> {
  const port = await freePort();
  const server = await startInFolder({
    files: {
      'cert.pem': identities.ecdsa.cert,
      'cert.key': identities.ecdsa.key,
      'ca.pem': authority.cert,
      'ticket.key': options.ticketKeys,
      'httpd.conf': configuration(port, options),
    },
    command: path,
    arguments: (folder) => ['-d', folder, '-f', 'httpd.conf', '-DFOREGROUND'],
    port,
    ready: 'accepts_connections',
  });
  return { name: 'apache', resumedWord: 'Resumed', fullWord: 'Initial', ...server };
}

/** Started by root, its children have to be somebody else; started by anybody else it passes that over. */
const configuration = (port: number, { serverName = 'example.test', directives = '' }: ApacheOptions) => `
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
User nobody
Group nogroup
PidFile apache.pid
DefaultRuntimeDir .
Mutex pthread
ErrorLog error.log
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
MinSpareThreads 1
MaxSpareThreads 8
Listen 127.0.0.1:${port}
ServerName ${serverName}
DocumentRoot .
SSLSessionCache none
<VirtualHost *:${port}>
  ServerName ${serverName}
  SSLEngine on
  SSLProtocol -all +TLSv1.2 +TLSv1.3
  SSLCertificateFile cert.pem
  SSLCertificateKeyFile cert.key
  SSLSessionTickets on
  SSLSessionTicketKeyFile ticket.key
  ${directives}
  Header always set X-View "{\\"protocol\\":\\"%{SSL_PROTOCOL}s\\",\\"reused\\":\\"%{SSL_SESSION_RESUMED}s\\"}"
</VirtualHost>
`;
