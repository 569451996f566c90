import { EventEmitter, once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { TLSSocket } from '../../src/adapters/node/index.js';
import { guardEarlyRequests, type ReceivedRequest } from '../../src/early-data/http-listener.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import { closeAll, next, startClient, startServer } from '../adapters/node/rig.js';

/** What a listener and a client see of one request. */
function serve(request: { method: string; headers?: Record<string, string>; socket: object }) {
  const seen: string[] = [];
  const listener = guardEarlyRequests(({ method }: ReceivedRequest) => void seen.push(`processed ${String(method)}`));
  listener(
    { headers: {}, ...request },
    {
      writeHead: (status, fields) => seen.push(`${status} ${JSON.stringify(fields)}`),
      end: () => seen.push('end'),
    },
  );
  return seen;
}

class EarlySocket extends EventEmitter {
  readonly earlyDataBytes = 100;
  handshake: object | undefined;
}

const tooEarly = ['425 {"content-length":"0"}', 'end'];

describe('guardEarlyRequests', () => {
  it('R8470-3-1 a request in early data waits for the handshake if it is unsafe', () => {
    const socket = new EarlySocket();
    const seen = serve({ method: 'POST', socket });
    expect([seen, socket.listenerCount('secure')]).toEqual([[], 1]);
    socket.handshake = {};
    socket.emit('secure');
    socket.emit('secure');
    expect([seen, socket.listenerCount('secure')]).toEqual([['processed POST'], 0]);
  });

  it('R8470-3-1 and is processed at once if it is safe', () => {
    expect(serve({ method: 'GET', socket: new EarlySocket() })).toEqual(['processed GET']);
  });

  it.each([
    ['the handshake is complete', Object.assign(new EarlySocket(), { handshake: {} })],
    ['there was no early data', { earlyDataBytes: 0, handshake: undefined }],
    ['the socket knows nothing of it', {}],
  ])('R8470-3-1 an unsafe request is processed at once where %s', (_title, socket) => {
    expect(serve({ method: 'POST', socket })).toEqual(['processed POST']);
  });

  it('R8470-3-1 what a gateway had in early data is answered 425 if it is unsafe, whatever this connection is', () => {
    const headers = { 'early-data': '1' };
    for (const socket of [{}, new EarlySocket(), Object.assign(new EarlySocket(), { handshake: {} })]) {
      expect(serve({ method: 'POST', headers, socket })).toEqual(tooEarly);
      expect(serve({ method: 'GET', headers, socket })).toEqual(['processed GET']);
    }
  });
});

describe('over node:http', () => {
  afterEach(closeAll);

  it('R8470-3-1 P-early-4 safe requests are read before the handshake is complete, unsafe ones after it', async () => {
    const order: string[] = [];
    const listener = guardEarlyRequests((request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      const early = 'handshake' in socket && socket.handshake === undefined;
      order.push(`${String(request.method)} ${early ? 'early' : 'late'}`);
      response.end(request.method);
    });
    const http = createHttpServer(listener);
    const hand = (socket: TLSSocket) => void http.emit('connection', socket);
    const earlyData = {
      maxSize: 10_000,
      replayGuard: new MemoryReplayGuard({ now: Date.now }),
      ticketsAreOfThisProcessAlone: true,
    };
    const server = await startServer({ maxVersion: 'TLSv1.3', earlyData }, (socket) => {
      if (socket.earlyDataBytes === 0) hand(socket);
    });
    server.on('earlyData', hand);

    const first = startClient(server);
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const lines = (method: string) => `${method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n`;
    const early = `${lines('GET')}\r\n${lines('POST')}Connection: close\r\n\r\n`;
    const client = startClient(server, { session, earlyData: Buffer.from(early) });
    let answer = '';
    client.setEncoding('latin1').on('data', (text: string) => (answer += text));
    await next(client, 'close');
    expect(client.earlyDataAccepted).toBe(true);
    expect(order).toEqual(['GET early', 'POST late']);
    expect(answer.match(/HTTP\/1.1 \d+|^(GET|POST)/gm)).toEqual(['HTTP/1.1 200', 'GET', 'HTTP/1.1 200', 'POST']);
  });
});
