/** Sessions of the version that a test is about. */
import type { Session, Tls12Session, Tls13Session } from '../../src/sessions/session.js';

/** Fails for a session of another version, or none. */
export function tls12Session(session: Session | undefined): Tls12Session {
  if (session?.version !== 'TLSv1.2') throw new Error(`expected a session of TLS 1.2, got ${String(session?.version)}`);
  return session;
}

export function tls13Session(session: Session | undefined): Tls13Session {
  if (session?.version !== 'TLSv1.3') throw new Error(`expected a session of TLS 1.3, got ${String(session?.version)}`);
  return session;
}
