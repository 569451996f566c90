/**
 * What the next connection may resume: the sessions of the last one that brought any, newest first.
 *
 * A ticket of TLS 1.3 is offered once (RFC 8446 C.4: or whoever looks on can link the connections); a session of TLS 1.2 lasts.
 */
import type { Session } from '../sessions/session.js';

export class SessionPool {
  #sessions: readonly Session[];

  constructor(sessions: readonly Session[]) {
    this.#sessions = sessions;
  }

  get sessions(): readonly Session[] {
    return this.#sessions;
  }

  /** The session to offer. */
  take(): Session | undefined {
    const [newest, ...others] = this.#sessions;
    if (newest?.version === 'TLSv1.3') this.#sessions = others;
    return newest;
  }

  /** What a connection brought, in the order in which it came. */
  put(sessions: readonly Session[]): void {
    if (sessions.length > 0) this.#sessions = [...sessions].reverse();
  }
}
