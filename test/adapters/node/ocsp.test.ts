/** OCSP stapling with the names of `node:tls`: `requestOCSP`, `OCSPResponse` and `OCSPRequest`, and with `node:tls` at the other end. */
import { once } from 'node:events';
import * as tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { credentialsFromPem } from '../../../src/adapters/x509/index.js';
import { createServer, type ServerOptions } from '../../../src/adapters/node/index.js';
import { ca, der, identity } from '../../support/certificates.js';
import { closeAll, listen, next, openClient, portOf, startClient, startServer, track } from './rig.js';

afterEach(closeAll);

const response = Buffer.from('30030a0101', 'hex');
const stapled = { ...credentialsFromPem(identity('p256')), ocspResponse: response };

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  async function theResponse(server: { port: number }, options: { requestOCSP?: boolean } = { requestOCSP: true }) {
    const socket = track(
      tls.connect({ ...only, port: server.port, host: '127.0.0.1', servername: 'localhost', ca, ...options }),
    );
    const responses: (Buffer | null)[] = [];
    socket.on('OCSPResponse', (each: Buffer | null) => responses.push(each));
    await once(socket, 'secureConnect');
    return responses;
  }

  it('a client gets what a server of node:tls sends, before secureConnect', async () => {
    const server = await listen(tls.createServer({ ...only, ...identity('p256') }, (socket) => socket.end()));
    server.on('OCSPRequest', (_certificate, _issuer, callback: (error: null, response: Buffer) => void) =>
      callback(null, response),
    );
    const socket = startClient(server, { ...only, requestOCSP: true });
    const order: unknown[] = [];
    socket.on('OCSPResponse', (each) => order.push(each));
    socket.on('secureConnect', () => order.push('secureConnect'));
    await next(socket, 'secureConnect');
    expect(order).toEqual([response, 'secureConnect']);
    expect(socket.handshake?.ocspResponse).toEqual(new Uint8Array(response));
  });

  it('or null, where it sends none', async () => {
    const server = await listen(tls.createServer({ ...only, ...identity('p256') }, (socket) => socket.end()));
    const socket = startClient(server, { ...only, requestOCSP: true });
    expect(await once(socket, 'OCSPResponse')).toEqual([null]);
  });

  it('a client of node:tls gets the response of `credentials`, if it asks', async () => {
    const port = portOf(await startServer({ ...only, credentials: [stapled] }));
    expect(await theResponse({ port })).toEqual([response]);
    expect(await theResponse({ port }, {})).toEqual([]);
  });

  it('a listener to OCSPRequest is told of the chain, and answers in its place', async () => {
    const server = await startServer({ ...only, ...identity('p256') });
    const asked: (Buffer | null)[][] = [];
    server.on('OCSPRequest', (certificate, issuer, callback) => {
      asked.push([certificate, issuer]);
      setImmediate(() => callback(null, response));
    });
    const port = portOf(server);
    expect(await theResponse({ port })).toEqual([response]);
    expect(asked).toEqual([[Buffer.from(der('p256')), Buffer.from(der('intermediate'))]]);
    await theResponse({ port }, {});
    expect(asked).toHaveLength(1);
  });

  it('and may have none', async () => {
    const server = await startServer({ ...only, credentials: [stapled] });
    server.on('OCSPRequest', (_certificate, _issuer, callback) => callback(null, null));
    const socket = startClient(server, { ...only, requestOCSP: true });
    expect(await once(socket, 'OCSPResponse')).toEqual([null]);
  });

  it('an error of the listener fails the handshake', async () => {
    const server = await startServer({ ...only, ...identity('p256') });
    server.on('OCSPRequest', (_certificate, _issuer, callback) => callback(new Error('no responder')));
    const failed = once(server, 'tlsClientError');
    const socket = startClient(server, { ...only, requestOCSP: true });
    expect(await next(socket, 'error')).toMatchObject([{ name: 'PeerAlertError', alert: 'internal_error' }]);
    expect(await failed).toMatchObject([{ alert: 'internal_error', cause: { message: 'no responder' } }, {}]);
  });

  it('a resumption has the response of the session', async () => {
    const server = await startServer({ ...only, credentials: [stapled] });
    const first = startClient(server, { ...only, requestOCSP: true });
    const [session] = (await once(first, 'session')) as [Buffer];
    const second = startClient(server, { ...only, requestOCSP: true, session });
    const [shown] = await Promise.all([once(second, 'OCSPResponse'), next(second, 'secureConnect')]);
    expect(shown).toEqual([response]);
    expect(second.isSessionReused()).toBe(true);
  });

  it('a listener that lets the server go hears no more of it', async () => {
    const server = await startServer({ ...only, ...identity('p256') });
    const socket = startClient(server, { ...only, requestOCSP: true });
    const events: string[] = [];
    for (const event of ['secure', 'secureConnect'] as const) socket.on(event, () => events.push(event));
    socket.on('OCSPResponse', () => socket.destroy());
    await next(socket, 'close');
    expect(events).toEqual([]);
  });
});

it('without requestOCSP there is no event', async () => {
  const server = await startServer({ credentials: [stapled] });
  const socket = await openClient(server);
  expect(socket.listenerCount('handshake')).toBe(0);
  expect(socket.handshake).toMatchObject({ ocspResponse: undefined });
});

it('a server has no use for it: UsageError', () => {
  const options: object = { ...identity('p256'), requestOCSP: true };
  expect(() => createServer(options as ServerOptions)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: '`requestOCSP` of node:tls is not supported' }),
  );
});
