/**
 * Whether a server reads early data (RFC 8446 4.2.10 and 8): the same PSK, suite and protocol, a ticket of the right age, and a
 * ClientHello that nobody has seen before, in this order.
 *
 * Whatever speaks against it is a reason, and the handshake goes on.
 */
import { freshness, replayWindow } from '../early-data/freshness.js';
import type { ReplayGuard } from '../early-data/replay-guard.js';
import { refuseEarlyData } from '../sessions/binding.js';
import type { FoundPsk } from './find-psk.js';
import type { ServerHandshake } from './handshake-state.js';
import { ask, type Handshake } from './needs.js';
import type { Tls13Hello } from './negotiate-tls13.js';
import type { EarlyDataRefusal, ResumptionRefusal } from './resumption.js';
import type { EarlyDataPolicy } from './settings.js';

/** The PSK's binder is verified by now (RFC 8446 8.2). */
export function* judgeEarlyData(
  hs: ServerHandshake,
  first: Tls13Hello,
  hello: Tls13Hello,
  psk: FoundPsk | undefined,
  reason: ResumptionRefusal | undefined,
  alpnProtocol: string | undefined,
): Handshake<void> {
  if (!first.offersEarlyData) return;
  const { earlyData: policy } = hs.settings;
  const retried = policy === undefined ? 'disabled' : 'hello_retry_request';
  const refusal = first === hello ? yield* refuse(hs, hello, psk, reason, alpnProtocol) : retried;
  if (refusal !== undefined) hs.earlyData.reject(refusal);
  else hs.earlyData.read(psk?.session?.maxEarlyDataSize ?? 0);
}

function* refuse(
  hs: ServerHandshake,
  hello: Tls13Hello,
  psk: FoundPsk | undefined,
  reason: ResumptionRefusal | undefined,
  alpnProtocol: string | undefined,
): Handshake<EarlyDataRefusal | undefined> {
  const { earlyData: policy, now, transport, binding } = hs.settings;
  if (policy === undefined) return 'disabled';
  if (psk === undefined) return reason === 'version_mismatch' ? reason : 'psk_not_selected';
  const { session, index, offered, cipherSuite } = psk;
  if (index !== 0 || session === undefined) return 'not_first_identity';
  const { zone, maxSize } = policy;
  const request = { cipherSuite, alpnProtocol, serverName: hello.info.serverName, transport, zone, maxSize };
  const refusal = refuseEarlyData(session, request, binding.overrides);
  if (refusal !== undefined) return refusal;
  const { ticketAgeAdd, issuedAt } = session;
  const time = now();
  const { fresh, expectedArrival, expiresAt } = freshness({
    issuedAt,
    ticketAgeAdd,
    obfuscatedTicketAge: offered.obfuscatedTicketAge,
    now: time,
    window: policy.freshnessWindow,
  });
  // Whoever held it back for so long may have sent it before.
  if (!fresh) return time > expectedArrival ? 'too_old_for_replay_window' : 'ticket_age';
  const { replayGuard: guard } = policy;
  if (guard === undefined) return undefined;
  if (isQuarantined(policy, guard, issuedAt, time)) return 'startup_quarantine';
  const binder = hello.offeredPsks?.binders[index];
  if (binder === undefined) return 'psk_not_selected';
  const answer = yield* ask('check_replay', { guard, key: binder, expiresAt });
  if (answer === 'fresh') return undefined;
  return answer === 'not_checked' ? 'replay_store_unavailable' : 'replayed';
}

/**
 * P-early-2: a record knows nothing of what came before it, and tickets of that time may have been used. RFC 8446 8.2: nor is a ticket that
 * says it is younger to be believed, where another server's clock may have said so, until all that was sent before is stale.
 */
function isQuarantined(
  policy: EarlyDataPolicy,
  { startedAt, freshnessWindow = policy.freshnessWindow }: ReplayGuard,
  issuedAt: number,
  now: number,
): boolean {
  // The record outlives processes, and has a quarantine of its own.
  if (startedAt === 0) return false;
  // The other way round a record that does not know when it began would have no quarantine.
  const isOver = now >= startedAt + replayWindow(freshnessWindow);
  return !(issuedAt >= startedAt && (policy.acceptTicketsOfThisRunAtOnce || isOver));
}
