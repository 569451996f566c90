/**
 * The three kinds of error, told apart by who is to blame.
 *
 * - `AlertError`: the peer (or its bytes) broke a rule; it names the alert that answers it. `DecodeError` is its codec kind.
 * - `PeerAlertError`: the peer ended the connection with a fatal alert.
 * - `UsageError`: the caller asked for something that cannot be; never caused by bytes from outside.
 *
 * Every error has a stable `code`. No message, cause or field ever holds a secret.
 */
import type { AlertDescription } from './alert.js';

/** Why bytes did not decode; the `code` of a {@link DecodeError}. */
export type DecodeErrorCode =
  'truncated' | 'trailing_bytes' | 'length_out_of_range' | 'value_out_of_range' | 'duplicate_extension';

/** What rule the peer broke; the `code` of an {@link AlertError}. The alert alone is too coarse for an operator. */
export type AlertErrorCode = DecodeErrorCode | AlertDescription | 'handshake_timeout' | 'quic_protocol_violation';

/** The peer broke a rule: the connection ends with `alert`. */
export class AlertError extends Error {
  override readonly name: string = 'AlertError';
  readonly alert: AlertDescription;
  readonly code: AlertErrorCode;

  /** `message` says "got X, expected Y" in RFC words. `code` defaults to the alert's name. */
  constructor(alert: AlertDescription, message: string, options: { code?: AlertErrorCode; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.alert = alert;
    this.code = options.code ?? alert;
  }
}

/** Bytes that do not follow their presentation-language definition (RFC 8446 3). */
export class DecodeError extends AlertError {
  override readonly name = 'DecodeError';
  declare readonly code: DecodeErrorCode;
  /** Offset in the decoded buffer at which the rule was broken. */
  readonly offset: number;
  /** Where in the structure, outermost first: `extensions[3].key_share[0].keyExchange`. Empty at the top. */
  path = '';
  readonly #reason: string;

  constructor(code: DecodeErrorCode, offset: number, reason: string, alert: AlertDescription = 'decode_error') {
    super(alert, reason, { code });
    this.offset = offset;
    this.#reason = reason;
    this.#describe();
  }

  /** Prefixes one step of the path while the error leaves the structures that enclose it. */
  within(step: string | number): this {
    const segment = typeof step === 'number' ? `[${String(step)}]` : step;
    this.path = segment + (this.path === '' || this.path.startsWith('[') ? '' : '.') + this.path;
    this.#describe();
    return this;
  }

  #describe(): void {
    this.message = `${this.path === '' ? '' : `${this.path}: `}${this.#reason} (at byte ${String(this.offset)})`;
  }
}

/** The peer sent a fatal alert. */
export class PeerAlertError extends Error {
  override readonly name = 'PeerAlertError';
  readonly code = 'peer_alert';
  /** The RFC name, or the number of an alert without one. */
  readonly alert: AlertDescription | number;

  constructor(alert: AlertDescription | number) {
    super(`peer sent alert ${String(alert)}`);
    this.alert = alert;
  }
}

/** What the caller did wrong; the `code` of a {@link UsageError}. */
export type UsageErrorCode =
  | 'invalid_option'
  | 'invalid_key'
  | 'no_sealing_key'
  | 'unsupported_by_backend'
  | 'missing_dependency'
  | 'value_not_encodable'
  | 'asynchronous_answer'
  | 'connection_not_open';

/** The caller asked for something that cannot be. Thrown where the call is made, never by bytes from outside. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code: UsageErrorCode;

  constructor(code: UsageErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** All errors of this package. */
export type TlsResumeError = AlertError | PeerAlertError | UsageError;
