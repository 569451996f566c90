/** OpenSSL by itself: `s_server` takes no ticket keys, so a small program over its library stands in for it. */
import { toHex } from '../../../src/bytes.js';
import { identities } from '../../support/identities.js';
import { freePort, type Peer } from '../../support/peers.js';
import { startInFolder, type FleetServer } from './rig.js';

export interface LibsslOptions {
  /** 80 bytes for `SSL_CTX_set_tlsext_ticket_keys`. */
  readonly ticketKeys: Uint8Array;
  /** Default: empty, which is what programs have that set none. */
  readonly sessionIdContext?: Uint8Array;
}

export async function startLibssl({ path }: Peer, options: LibsslOptions): Promise<FleetServer> {
  const port = await freePort();
  const { ticketKeys, sessionIdContext = new Uint8Array(0) } = options;
  const program = new URL('../../support/libssl-server.py', import.meta.url).pathname;
  const files = { 'cert.pem': identities.ecdsa.cert, 'cert.key': identities.ecdsa.key, 'ticket.key': ticketKeys };
  const server = await startInFolder({
    files,
    command: path,
    arguments: () => [program, String(port), ...Object.keys(files), toHex(sessionIdContext)],
    port,
    ready: /^listening$/m,
  });
  return { name: 'openssl', resumedWord: '1', fullWord: '0', ...server };
}
