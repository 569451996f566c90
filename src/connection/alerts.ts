/** Alerts as they come in, and as an error goes out (RFC 5246 7.2, RFC 8446 6). */
import { alertLevels, alertName, type AlertDescription } from '../alert.js';
import { AlertError, PeerAlertError, UsageError, type TlsResumeError } from '../errors.js';

/** What an alert means that does not end the connection. */
export type Notice =
  { readonly type: 'close_notify' } | { readonly type: 'warning'; readonly alert: AlertDescription | number };

/**
 * Throws `PeerAlertError` for a fatal alert. In TLS 1.3 there is one warning beside close_notify (RFC 8446 6.1), and whatever else
 * calls itself one is an error, and a broken one: the level must be fatal (6.2).
 */
export function readAlert(payload: Uint8Array, isTls13: boolean): Notice {
  const [level = 0, description = 0] = payload;
  if (payload.length !== 2) throw new AlertError('decode_error', 'got an alert that is not two bytes');
  const alert = alertName(description);
  const isWarning = isTls13 ? alert === 'close_notify' || alert === 'user_canceled' : level === alertLevels.warning;
  if (isWarning) return alert === 'close_notify' ? { type: 'close_notify' } : { type: 'warning', alert };
  if (level === alertLevels.fatal) throw new PeerAlertError(alert);
  if (level === alertLevels.warning) throw new AlertError('decode_error', `got alert ${alert} as a warning`);
  throw new AlertError('illegal_parameter', `got alert ${alert} of level ${level}`);
}

/** Errors of ours pass; anything else was thrown by a callback or by a mistake of ours. */
export function blame(error: unknown): TlsResumeError {
  if (error instanceof AlertError || error instanceof PeerAlertError || error instanceof UsageError) return error;
  return new AlertError('internal_error', 'an unexpected error ended the connection', { cause: error });
}
