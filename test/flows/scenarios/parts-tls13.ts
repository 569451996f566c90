/** What the scenarios of TLS 1.3 have in common. */
import type { ResumptionRefusal } from '../../../src/handshake/resumption.js';
import type { Completed, House, Scenario, Step } from '../house.js';

/** Scenarios of TLS 1.3 and nothing else. */
export const ofTls13 = (scenarios: readonly Scenario[]): readonly Scenario[] =>
  scenarios.map((scenario) => ({ versions: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }, ...scenario }));

/** A full handshake; where the server had something to refuse, the client does not hear why. */
export const fullFor = (server: ResumptionRefusal, more: Partial<Completed> = {}): Completed => ({
  version: 'TLSv1.3',
  mode: 'full',
  server,
  client: server === 'not_offered' ? server : 'declined_by_server',
  ...more,
});
export const withoutTickets = { tickets: 0 };
export const byPsk: Completed = { version: 'TLSv1.3', mode: 'psk_dhe_ke' };
export const first13: Step & { readonly expected: Completed } = {
  title: 'full, two tickets are issued',
  expected: fullFor('not_offered'),
};
export const retried = (expected: Completed): Completed => ({ ...expected, helloRetryRequest: true });

/** The client sends no key share of the group that {@link otherGroup} has. */
export const otherShare = () => ({ groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] }) as const;
export const otherGroup = () => ({ groups: ['x25519'] }) as const;

export const offerAll = ({ sessions }: House) => ({ session: sessions });
