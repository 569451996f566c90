/**
 * Tickets in every layout, and the inspector over all of them: nothing opens but what was sealed, and what opens a state of any server is
 * read without a word of its secrets.
 */
import { equal } from '../../../src/bytes.js';
import { nodeCrypto as crypto } from '../../../src/crypto/node.js';
import {
  fleetTickets,
  haproxyTarget,
  inspectTicket,
  opensslTarget,
  recogniseTicket,
} from '../../../src/targets/index.js';
import { readState } from '../../../src/targets/state-kinds.js';
import { KeyRing } from '../../../src/tickets/key-ring.js';
import { RingSealer } from '../../../src/tickets/ring-sealer.js';
import { everyLayout } from '../../tickets/layouts/every-layout.js';
import { samples } from '../../tickets/layouts/samples.js';
import { rule, type FuzzTarget } from '../target.js';

const now = 1_795_254_310_000;
const keysOfAll = everyLayout.map(({ key }) => key);
const sealed = everyLayout.map(({ layout, key }) => {
  const sealer = new RingSealer({ keys: new KeyRing({ crypto, now: () => now, keys: [key] }), layout });
  return { sealer, ticket: sealer.seal(new Uint8Array(110).map((_, i) => i)) };
});

const aesHmac = keysOfAll.find((key) => key.hmacKey?.length === 16) ?? keysOfAll[0];
const fleet = fleetTickets({
  members: [haproxyTarget(), opensslTarget()].map((target) => ({
    target,
    keys: new KeyRing({ crypto, now: () => now, keys: aesHmac === undefined ? [] : [aesHmac] }),
  })),
});

function opensNothingElse(ticket: Uint8Array): void {
  const untouched = ticket.slice();
  for (const { sealer, ticket: ours } of sealed) {
    const opened = sealer.open(ticket);
    rule(
      opened.state === undefined ? !equal(ticket, ours) : isSealed(ticket),
      'what was sealed opens, and nothing else',
    );
  }
  const report = inspectTicket(ticket, {
    keys: keysOfAll,
    now,
    crypto,
    targets: [haproxyTarget()],
    serverName: 'a.test',
  });
  rule(report.opened === undefined || isSealed(ticket), 'the inspector opens what nobody has sealed');
  rule(equal(ticket, untouched), 'a ticket that is opened stays as it is');
  for (const { keyName, layout } of recogniseTicket(ticket))
    rule(keyName.length <= 16 && layout.shortestTicket <= ticket.length, 'a guess that fits');
  const opened = fleet.tickets.open(ticket);
  rule(
    opened instanceof Promise || opened.state === undefined || isSealed(ticket),
    'a fleet opens what nobody has sealed',
  );
}

/** One of those that were sealed: under one key some layouts take each other's tickets for authentic. */
function isSealed(ticket: Uint8Array): boolean {
  return sealed.some(({ ticket: ours }) => equal(ours, ticket));
}

function isReadOrNot(state: Uint8Array): void {
  const untouched = state.slice();
  const content = readState(state, crypto);
  rule(equal(state, untouched), 'reading changes nothing');
  if (content === undefined) return;
  rule(Number.isFinite(content.issuedAt), 'a time that is a number');
  rule(content.lifetime === undefined || Number.isFinite(content.lifetime), 'a lifetime that is a number');
  if (content.session !== undefined) {
    const { session } = content;
    const secret = session.version === 'TLSv1.3' ? session.psk : session.masterSecret;
    rule(String(secret).includes('secret bytes'), 'a secret that prints');
  }
}

export const layoutTargets: readonly FuzzTarget[] = [
  {
    name: 'layouts',
    seeds: () => [...sealed.map(({ ticket }) => ticket), ...samples.map(({ ticket }) => ticket)],
    run: opensNothingElse,
  },
  {
    name: 'state-readers',
    seeds: () => samples.map(({ state }) => state),
    run: isReadOrNot,
  },
];
