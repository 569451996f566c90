/**
 * Clients that resume all the time: each connects, asks, takes the newest ticket and comes again, one connection after the other, until
 * told to stop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HandshakeVersion } from '../../../src/messages/handshake.js';
import type { Session } from '../../../src/sessions/session.js';
import { visit } from './visit.js';

export interface Load {
  /** Connections that offered a session, how many of those resumed, and why others came to nothing. */
  readonly offered: number;
  readonly resumed: number;
  readonly full: readonly string[];
  readonly failures: readonly string[];
}

/** One after the other until `stopped`; `pause` milliseconds lie between two connections. */
export async function resumeAllTheTime(
  port: number,
  version: HandshakeVersion,
  pause: number,
  stopped: () => boolean,
): Promise<Load> {
  let offered = 0;
  let resumed = 0;
  const full: string[] = [];
  const failures: string[] = [];
  let session: Session | undefined;
  while (!stopped()) {
    try {
      const { handshake, theirs, sessions } = await visit({ port }, version, session && { session });
      if (session !== undefined) {
        offered++;
        if (handshake.resumed) resumed++;
        else full.push(`${version} after ${Date.now() - session.issuedAt} ms: ${JSON.stringify(theirs)}`);
      }
      session = sessions.at(-1) ?? session;
    } catch (error) {
      failures.push(`${version}: ${String(error)}`);
    }
    await delay(pause);
  }
  return { offered, resumed, full, failures };
}
