/** What went wrong with a connection or with the machine, as a code for programs and a line for people. */
import { AlertError, PeerAlertError, UsageError, type TlsResumeError } from '../errors.js';

/** Ends the command with a status that says so; what happened has been printed. */
export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed';
}

export interface Failure {
  /** A code of this library, or of the system (`ECONNREFUSED`). */
  readonly code: string;
  /** The alert that was sent or received. */
  readonly alert?: string | number;
  readonly message: string;
}

export function failureOf(error: TlsResumeError): Failure {
  const { code, message } = error;
  return error instanceof AlertError || error instanceof PeerAlertError
    ? { code, alert: error.alert, message }
    : { code, message };
}

/** Errors of the system; those that stand for several addresses have a code and no message of their own. */
export function systemFailure(error: Error): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'system_error';
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const message = error.message === '' && first instanceof Error ? first.message : error.message;
  return { code, message: message === '' ? code : message };
}

/** Makes a `UsageError` of what the system says of a file or an address. */
export function refuse(what: string, error: unknown): never {
  const reason = error instanceof Error ? (reasons[systemFailure(error).code] ?? error.message) : String(error);
  throw new UsageError('invalid_option', `${what}: ${reason}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'address not available',
  ENOTFOUND: 'host not found',
};
