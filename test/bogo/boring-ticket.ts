/**
 * The runner opens tickets of a shim under a key that it knows (`-ticket-key`), and changes version and cipher suite in them: they are
 * tickets of BoringSSL, envelope and state. Not sealed by a key ring, which has no place for a key as weak as the runner's.
 */
import type { CryptoBackend, ServerOptions, TicketSealer } from '../../src/index.js';
import { boringsslState } from '../../src/sessions/index.js';
import { opensslLayout } from '../../src/tickets/index.js';

/** `key`: name, HMAC key, AES-128 key, 48 bytes. */
export function boringTickets(
  crypto: CryptoBackend,
  key: Uint8Array,
): Required<Pick<ServerOptions, 'tickets' | 'ticketEncoding'>> {
  const [name, hmacKey, aesKey] = [key.subarray(0, 16), key.subarray(16, 32), key.subarray(32, 48)];
  const prepared = opensslLayout.prepare(crypto, { name, hmacKey, aesKey });
  const tickets: TicketSealer = {
    seal: (state) => prepared.seal(state),
    open: (ticket) => {
      if (ticket.length < opensslLayout.shortestTicket) return { reason: 'malformed' };
      if (!name.every((byte, i) => byte === ticket[i])) return { reason: 'unknown_key_name' };
      const state = prepared.open(ticket);
      return typeof state === 'string' ? { reason: state } : { state, renew: false };
    },
  };
  // The runner's clients show certificates, and want to be known again.
  return { tickets, ticketEncoding: boringsslState({ lifetime: 604_800, trustClientCertificatesInTickets: true }) };
}
