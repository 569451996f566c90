/**
 * `TicketTarget`: what makes a ticket one that a given server resumes, as data: the envelope, what is inside, the configuration that it
 * is bound to, and the rules by which the server judges it. One key in common is not enough (RFC 5077 4 leaves all of this open).
 *
 * The surprising thing: nothing on the wire or in a log tells of a mismatch. A server that does not like a ticket does a full handshake.
 */
import type { SessionEncoding } from '../sessions/session.js';
import type { TicketLayout } from '../tickets/layout.js';

export interface TicketTarget extends AcceptanceRules {
  /** The server, as people call it: `nginx`, `HAProxy`. */
  readonly server: string;
  /** The envelope. */
  readonly layout: TicketLayout;
  /** What is inside, bound to {@link sessionIdContext}. */
  readonly encoding: SessionEncoding;
  /** OpenSSL and BoringSSL: the bytes that have to be in the state; `undefined` where the server has no such thing. */
  readonly sessionIdContext: Uint8Array | undefined;
  /** Seconds that a ticket lives which this target is to resume. */
  readonly lifetime: number;
}

/** How a server judges a ticket that opened, and what it sends in its place. For operators and for whoever predicts an outcome. */
export interface AcceptanceRules {
  /** What the server does where the name in the ticket is not the one that the client asks for. */
  readonly hostRule: HostRule;
  /** What a TLS 1.2 server does where the session and the ClientHello differ in extended_master_secret (RFC 7627 5.3). */
  readonly extendedMasterSecretRule: ExtendedMasterSecretRule;
  /** When a resumption brings a new ticket. */
  readonly renewal: {
    readonly 'TLSv1.2': 'never' | 'when_key_rotated' | 'always';
    readonly 'TLSv1.3': 'never' | 'when_key_rotated' | 'always';
  };
}

/**
 * - `not_recorded`: no name in the state
 * - `ignored`: recorded, by most where the server has a callback for names, and not compared
 * - `declined`: a full handshake
 * - `misdirected`: resumed, and answered by HTTP 421, or by an alert where clients are verified (nginx)
 * - `by_context`: each name has a session id context of its own (Apache)
 */
export type HostRule = 'not_recorded' | 'ignored' | 'declined' | 'misdirected' | 'by_context';

/**
 * - `rfc7627`: a session without it under a ClientHello with it is declined, the reverse ends the handshake
 * - `not_recorded`: the state does not say
 */
export type ExtendedMasterSecretRule = 'rfc7627' | 'not_recorded';

/** What all targets may be told. */
export interface TargetOptions {
  /** Seconds; default: what the server does by default. */
  readonly lifetime?: number;
  /** See `ForeignStateProfile`: names for which a state without a name is good. */
  readonly serverNamesOfUnnamedStates?: readonly string[];
  /** See `ForeignStateProfile`: everybody who holds the ticket key can then be any client. */
  readonly trustClientCertificatesInTickets?: boolean;
}
