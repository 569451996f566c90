/**
 * What the encodings of other servers have in common: their states leave things open that the server they were made for knows by itself,
 * and that a {@link Session} needs to be bound.
 *
 * The surprising thing is the client certificate: whoever holds the ticket key writes the state, and can log in as anybody by putting
 * anybody's certificate there. So a state with one does not resume unless the profile says that every holder of the key is trusted.
 */
import { copy, empty } from '../bytes.js';
import { UsageError } from '../errors.js';
import { maximumTicketLifetime } from './session.js';

/** What the server says of its tickets that does not stand in them. */
export interface ForeignStateProfile {
  /** Seconds that a session lives from its full handshake; where the state says how long itself, this is what is written. 1 to 604800. */
  readonly lifetime: number;
  /**
   * OpenSSL and BoringSSL: the session id context, 0 to 32 bytes, which stands for the configuration that a session was made under. It is
   * written, and whatever has another one is no session of this configuration (`context_mismatch`). Default: empty.
   */
  readonly sessionIdContext?: Uint8Array;
  /**
   * In lower case: the host names for which a state is good that records none, as Go's and s2n's never do. Default: no names, and such a
   * state resumes only where the client asks for none.
   */
  readonly serverNamesOfUnnamedStates?: readonly string[];
  /**
   * Takes the client certificate in a ticket for verified, and writes it into tickets: everybody who holds the ticket key can then be any
   * client. Default: sessions with a client certificate get no ticket, and a ticket with one is refused.
   */
  readonly trustClientCertificatesInTickets?: boolean;
}

/** A profile that can be one, with its own copy of the context. */
export interface CheckedProfile extends ForeignStateProfile {
  readonly sessionIdContext: Uint8Array;
}

/** Throws `UsageError` (`invalid_option`). */
export function checkedProfile(profile: ForeignStateProfile): CheckedProfile {
  const { lifetime, sessionIdContext = empty } = profile;
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > maximumTicketLifetime)
    throw new UsageError('invalid_option', `lifetime: got ${lifetime}, expected 1 to ${maximumTicketLifetime} seconds`);
  if (sessionIdContext.length > longestSessionIdContext)
    throw new UsageError(
      'invalid_option',
      `sessionIdContext: got ${sessionIdContext.length} bytes, expected at most ${longestSessionIdContext}`,
    );
  return { ...profile, sessionIdContext: copy(sessionIdContext) };
}

/** Of OpenSSL and BoringSSL: `SSL_MAX_SID_CTX_LENGTH`. */
export const longestSessionIdContext = 32;
