/**
 * A listener for requests that may have come as early data (RFC 8470 3), around one that need not know of them.
 *
 * Whether the handshake is complete is looked at when the request is there: what arrives in part before and in part after it is judged when
 * all of its fields have come, and by then it is complete. A request that waits for it may as well never be heard of again.
 */
import { decideEarlyRequest, tooEarlyStatus, type EarlyRequestPolicy, type HttpRequest } from './http.js';

/** `IncomingMessage` of `node:http` and `Http2ServerRequest` are such requests. */
export interface ReceivedRequest extends HttpRequest {
  /** Early data is known of sockets of `tls-resume/node`, and of what has `earlyDataBytes`, `handshake` and `secure` as they do. */
  readonly socket: object;
}

/** `ServerResponse` of `node:http` and `Http2ServerResponse` are such responses. */
export interface HttpResponse {
  writeHead(status: number, fields: Record<string, string>): unknown;
  end(): unknown;
}

/**
 * Passes requests on to `listener` if they may be processed, as soon as they may; the others are answered 425. See
 * {@link decideEarlyRequest}.
 */
export function guardEarlyRequests<Request extends ReceivedRequest, Response extends HttpResponse>(
  listener: (request: Request, response: Response) => void,
  policy: EarlyRequestPolicy<Request> = {},
): (request: Request, response: Response) => void {
  return (request, response) => {
    const { socket } = request;
    const early = hasEarlyData(socket) && socket.handshake === undefined ? socket : undefined;
    switch (decideEarlyRequest(request, early !== undefined, policy)) {
      case 'process':
        listener(request, response);
        return;
      case 'wait':
        early?.once('secure', () => listener(request, response));
        return;
      case 'too_early':
        response.writeHead(tooEarlyStatus, { 'content-length': '0' });
        response.end();
    }
  };
}

interface EarlySocket {
  readonly earlyDataBytes: number;
  /** What it came to, once it is complete. */
  readonly handshake?: unknown;
  once(event: 'secure', listener: () => void): unknown;
}

function hasEarlyData(socket: object): socket is EarlySocket {
  return 'earlyDataBytes' in socket && typeof socket.earlyDataBytes === 'number' && socket.earlyDataBytes > 0;
}
