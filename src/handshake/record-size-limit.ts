/** record_size_limit (RFC 8449), in both versions: each side says what it takes, and keeps to what the other one takes. */
import { AlertError } from '../errors.js';
import { findExtension, type ClientHello } from '../messages/index.js';
import type { ClientHandshake, ServerHandshake } from './handshake-state.js';

/** RFC 8449 4, bytes. */
export const minimumRecordSizeLimit = 64;

/** Server: answers whether the limit holds, which it then says. */
export function negotiateRecordSizeLimit({ settings, transport }: ServerHandshake, hello: ClientHello): boolean {
  const limit = findExtension(hello.extensions, 'record_size_limit');
  if (limit === undefined || settings.recordSizeLimit === undefined) return false;
  checkLimit(limit);
  transport.limitRecordSize(limit, settings.recordSizeLimit);
  return true;
}

/** Client: what the server answered. That nobody answers max_fragment_length, which is never offered, was seen before. */
export function acceptRecordSizeLimit({ settings, transport }: ClientHandshake, limit: number | undefined): void {
  if (limit === undefined || settings.recordSizeLimit === undefined) return;
  checkLimit(limit);
  transport.limitRecordSize(limit, settings.recordSizeLimit);
}

function checkLimit(limit: number): void {
  if (limit < minimumRecordSizeLimit) throw new AlertError('illegal_parameter', `got a record_size_limit of ${limit}`);
}
