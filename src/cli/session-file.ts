/**
 * The file of `--session-out` and `--session-in`: sessions of this library in JSON, newest first, each one `clientSessionState`
 * in base64. Whoever reads it can resume them: it is its owner's alone.
 */
import { UsageError } from '../errors.js';
import { clientSessionState } from '../sessions/session-state.js';
import type { Session } from '../sessions/session.js';
import { readFile, writeSecretFile } from './files.js';

export function writeSessions(path: string, sessions: readonly Session[]): void {
  const encoded = sessions.map((session) => Buffer.from(clientSessionState.encode(session)).toString('base64'));
  writeSecretFile(path, `${JSON.stringify({ sessions: encoded }, undefined, 2)}\n`);
}

export function readSessions(path: string): readonly Session[] {
  return encodedSessions(path, readFile(path)).map((text, index) => {
    const bytes = typeof text === 'string' ? new Uint8Array(Buffer.from(text, 'base64')) : new Uint8Array(0);
    const session = clientSessionState.decode(bytes);
    if (session === undefined) throw new UsageError('invalid_option', `${path}: session ${index} cannot be read`);
    return session;
  });
}

function encodedSessions(path: string, content: Uint8Array): readonly unknown[] {
  try {
    const file: unknown = JSON.parse(Buffer.from(content).toString());
    if (typeof file === 'object' && file !== null && 'sessions' in file && Array.isArray(file.sessions))
      return file.sessions;
  } catch {
    // Said below.
  }
  throw new UsageError('invalid_option', `${path}: no file of --session-out`);
}
