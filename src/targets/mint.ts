/**
 * Tickets without a handshake: a session made up from random bytes, sealed so that a target resumes it, and the client's side of it.
 *
 * The surprising thing is that this is all it takes: whoever holds a ticket key is the server's equal, and every client's. It is what
 * tests and probes want, and why ticket keys are kept like private keys.
 */
import { concealed } from '../concealed.js';
import { hashLength, type CryptoBackend } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import { tls13Suites, type Tls12CipherSuite, type Tls13CipherSuite } from '../key-schedule/suites.js';
import { uint32 } from '../presentation/codec.js';
import { masterSecretLength, type Session, type Tls12Session, type Tls13Session } from '../sessions/session.js';
import type { KeyRing } from '../tickets/key-ring.js';
import { RingSealer } from '../tickets/ring-sealer.js';
import type { TicketTarget } from './target.js';

/**
 * A ticket around `session` that `target` resumes. Throws `UsageError`: `value_not_encodable` for a session that has no place in the
 * target's encoding, `no_sealing_key` where no key of the ring may seal, `invalid_key` where one does not fit the target's layout. From then
 * on the ring takes no key that does not fit it.
 */
export function sealTicketFor(target: TicketTarget, session: Session, keys: KeyRing): Uint8Array {
  const state = target.encoding.encode(session);
  if (state === undefined) {
    throw new UsageError(
      'value_not_encodable',
      `this session has something that tickets of ${target.server} have no room for`,
    );
  }
  try {
    return new RingSealer({ keys, layout: target.layout }).seal(state);
  } finally {
    state.fill(0);
  }
}

/** What the session is to be that is made up. */
export type MintOptions = MintFacts &
  (
    | { readonly version: 'TLSv1.2'; readonly cipherSuite: Tls12CipherSuite; readonly extendedMasterSecret?: boolean }
    | { readonly version: 'TLSv1.3'; readonly cipherSuite: Tls13CipherSuite; readonly maxEarlyDataSize?: number }
  );

interface MintFacts {
  readonly crypto: CryptoBackend;
  readonly keys: KeyRing;
  /** Milliseconds: when the ticket is to have been issued. */
  readonly now: number;
  /** In lower case. The target may ask for the same name as in the handshake that never was. */
  readonly serverName?: string;
  readonly alpnProtocol?: string;
  /** DER, leaf first: the chain that the server would have shown, which a client looks at before it offers the session. */
  readonly serverCertificates?: readonly Uint8Array[];
}

/**
 * A session that `target` resumes although no handshake came before: as a client holds it, with the ticket in it, and offers it as one of
 * its `foreignSessions`. Extended master secret by default. Throws as {@link sealTicketFor} does.
 */
export function mintSession(target: TicketTarget, options: MintOptions): Session & { readonly ticket: Uint8Array } {
  const { crypto, keys, now, serverName, alpnProtocol, serverCertificates: peerCertificates = [] } = options;
  const facts = {
    establishedAt: now,
    issuedAt: now,
    peerCertificates: [],
    applicationContext: new Uint8Array(0),
    ...(serverName !== undefined && { serverName }),
    ...(alpnProtocol !== undefined && { alpnProtocol }),
  };
  if (options.version === 'TLSv1.2') {
    const { version, cipherSuite, extendedMasterSecret = true } = options;
    const masterSecret = concealed(crypto.randomBytes(masterSecretLength));
    const session: Tls12Session = { ...facts, version, cipherSuite, masterSecret, extendedMasterSecret };
    const ticket = sealTicketFor(target, session, keys);
    return { ...session, peerCertificates, ticket, ticketLifetimeHint: target.lifetime };
  }
  const { version, cipherSuite, maxEarlyDataSize = 0 } = options;
  const session: Tls13Session = {
    ...facts,
    version,
    cipherSuite,
    psk: concealed(crypto.randomBytes(hashLength[tls13Suites[cipherSuite].hash])),
    ticketAgeAdd: uint32.decode(crypto.randomBytes(4)),
    ticketLifetime: target.lifetime,
    maxEarlyDataSize,
    transport: 'tcp',
  };
  return { ...session, peerCertificates, ticket: sealTicketFor(target, session, keys) };
}
