/**
 * Every flow that there is: those of the test suite in TLS 1.2 and 1.3, and three in which both sides want all that they can. New
 * ones belong at the end: inputs choose by number.
 */
import { ascii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { testClient, testServer, ticketSealer, type Changes } from '../support/connections.js';
import { clientCredentials, ecdsaP256 } from '../support/credentials.js';
import { tls13Flows } from '../support/flows-tls13.js';
import { flows, type Flow } from '../support/replay.js';

const client: Changes<ClientOptions> = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  alpnProtocols: ['h2', 'http/1.1'],
  recordSizeLimit: 400,
  recordPaddingBlock: 32,
  grease: true,
  permuteExtensions: true,
  requestOcspResponse: true,
  requestSignedCertificateTimestamps: true,
  ticketRequest: { newSessionCount: 2, resumptionCount: 1 },
  credentials: [clientCredentials],
};

const server = (): Changes<ServerOptions> => ({
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  alpnProtocols: ['http/1.1'],
  recordSizeLimit: 500,
  grease: true,
  tickets: ticketSealer('node', 'rich flows').sealer,
  credentials: [
    { ...ecdsaP256, ocspResponse: ascii('good'), signedCertificateTimestamps: Uint8Array.of(0, 5, 0, 3, 1, 2, 3) },
  ],
  clientAuthentication: 'request',
  certificateAuthorities: [Uint8Array.of(0x30, 0)],
  acknowledgeServerName: true,
});

const rich = (name: string, own: Changes<ClientOptions>, others: Changes<ServerOptions>): Flow => ({
  name,
  client: (changes) => testClient('node', name, { ...client, ...own, ...changes }),
  server: (changes) => testServer('node', name, { ...server(), ...others, ...changes }),
});

export const allFlows: readonly Flow[] = [
  ...Object.values(flows),
  ...Object.values(tls13Flows),
  rich('both versions, everything', {}, {}),
  rich('TLS 1.2 of both versions, everything', {}, { maxVersion: 'TLSv1.2' }),
  rich('a cookie, everything', {}, { retryCookie: () => ascii('a cookie') }),
];

/** What the client of a flow says before the server has said anything. */
export function earlyDataOf(flow: Flow): Uint8Array {
  return 'early' in flow && flow.early instanceof Uint8Array ? flow.early : new Uint8Array(0);
}
