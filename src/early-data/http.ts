/**
 * Early data for HTTP (RFC 8470): which requests may be sent early, what a server does about those that were, and what comes after 425
 * (Too Early).
 *
 * The surprising thing is what the `Early-Data` field says: not that this connection's handshake is incomplete, but that some connection
 * before it was. So a server behind a gateway can wait for nothing, and is left with 425.
 */

/** Fields by lower-case name, as `node:http` has them. */
export type HttpFields = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpRequest {
  /** As it is written: methods are case-sensitive (RFC 9110 9.1). */
  readonly method?: string | undefined;
  readonly headers: HttpFields;
}

/** RFC 9110 9.2.1: whether the method asks for nothing but an answer. Those of extensions are not known to be safe. */
export function isSafeMethod(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE';
}

/** Client, RFC 8470 4: whether this request may go into early data, where it may be read more than once. */
export function maySendEarly({ method }: HttpRequest): boolean {
  return isSafeMethod(method);
}

/** What became of a request that a client or gateway has sent. */
export interface AnsweredRequest {
  /** Of the response. */
  readonly status: number;
  /** Whether any of the request went out as early data. */
  readonly sentEarly: boolean;
  /** Whether it has been sent again already. */
  readonly retried: boolean;
  /** A gateway's: the fields of the request as it came in. */
  readonly receivedFields?: HttpFields;
}

/**
 * Client, RFC 8470 4 and 5.2: whether to send the request again: once, and never early again, so not before the handshake is complete. A
 * gateway leaves that to the client who said `Early-Data`, and forwards the 425; one that reads early data itself waits for the handshake
 * of the connection on which the request came as well.
 */
export function retryAfterTooEarly({ status, sentEarly, retried, receivedFields }: AnsweredRequest): boolean {
  if (receivedFields !== undefined && saysEarlyData(receivedFields)) return false;
  return status === tooEarlyStatus && sentEarly && !retried;
}

/** RFC 8470 5.1: whether the field stands there. Whatever its value is, and however often it comes, it counts as one 1. */
export function saysEarlyData(fields: HttpFields): boolean {
  return fields['early-data'] !== undefined;
}

/** Gateway, RFC 8470 5.1: the fields to forward a request with that may have been replayed. */
export function withEarlyData(fields: HttpFields): HttpFields {
  return { ...fields, 'early-data': '1' };
}

/** RFC 8470 5.2. */
export const tooEarlyStatus = 425;

/**
 * - `process`: nothing speaks against it
 * - `wait`: until the handshake of this connection is complete
 * - `too_early`: answer 425
 */
export type EarlyRequestDecision = 'process' | 'wait' | 'too_early';

export interface EarlyRequestPolicy<Request extends HttpRequest = HttpRequest> {
  /**
   * Whether it does no harm to answer this request twice, or a hundred times. All servers that share ticket keys, and those behind them,
   * have to agree: decide by the request, never by load or time (RFC 8470 6.2). Default: whether its method is safe.
   */
  readonly isReplaySafe?: (request: Request) => boolean;
}

/**
 * Server, RFC 8470 3: what to do about a request. `isEarly` says whether any of it has come as early data of a handshake that is not
 * complete yet: early data of one that is complete came from the client who completed it.
 */
export function decideEarlyRequest<Request extends HttpRequest>(
  request: Request,
  isEarly: boolean,
  policy: EarlyRequestPolicy<Request> = {},
): EarlyRequestDecision {
  const isForwardedEarly = saysEarlyData(request.headers);
  if (!isEarly && !isForwardedEarly) return 'process';
  const { isReplaySafe = maySendEarly } = policy;
  if (isReplaySafe(request)) return 'process';
  return isForwardedEarly ? 'too_early' : 'wait';
}
