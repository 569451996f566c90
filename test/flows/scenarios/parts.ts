/** What scenarios have in common: first connections, outcomes, and what may happen between two connections. */
import type { Completed, House, Step } from '../house.js';

export const withTickets = ({ sealer }: House) => ({ tickets: sealer });
export const withStore = ({ store }: House) => ({ sessions: store });

export const firstWithTicket: Step = {
  title: 'full, a ticket is issued',
  expected: { mode: 'full', server: 'not_offered', client: 'not_offered', newTicket: true },
};
export const first: Step = {
  title: 'full',
  expected: { mode: 'full', server: 'not_offered', client: 'not_offered', newTicket: false },
};
export const byTicket: Completed = { mode: 'ticket', newTicket: false };
export const bySessionId: Completed = { mode: 'session_id', newTicket: false };

/** The ticket was no good: a full handshake in the same flight, with a new ticket. */
export const refusedFor = (server: Completed['server']): Completed => ({
  mode: 'full',
  server: server!,
  client: 'declined_by_server',
  newTicket: true,
});

/** The client's session with another ticket. */
export const retouch = (change: (ticket: Uint8Array) => Uint8Array) => (house: House) => {
  const session = house.session!;
  house.session = { ...session, ticket: change(session.ticket!) };
};

export const flipLastBit = (ticket: Uint8Array) => ticket.map((byte, i) => (i === ticket.length - 1 ? byte ^ 1 : byte));

export const forget = (house: House) => {
  house.session = undefined;
  house.sessions = [];
};
export const wait = (milliseconds: number) => (house: House) => {
  house.clock.time += milliseconds;
};
