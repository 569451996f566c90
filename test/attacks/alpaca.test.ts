/** ALPACA (2021): traffic of one protocol redirected to a server of another works wherever protocols are not enforced. */
import { describe, expect, it } from 'vitest';
import { connectSync, kinds, makeWorld, offer, outcome } from '../support/attack-rig.js';
import { theEvent, type Pair } from '../support/connections.js';

const protocolsOf = ({ client, server }: Pair) =>
  [client, server].map((end) => theEvent(end, 'handshake').alpnProtocol);

describe.each(kinds)('application protocols on resumption (%s)', (kind) => {
  const world = makeWorld(kind);
  const web = world.server({ alpnProtocols: ['h2', 'http/1.1'] });
  const first = connectSync(world.client({ alpnProtocols: ['h2'] }), web);

  it('R7301-3.1-3 the protocol is negotiated anew, not taken from the session', () => {
    expect(protocolsOf(first)).toEqual(['h2', 'h2']);
    const other = offer(first, world.client({ alpnProtocols: ['http/1.1'] }), web);
    expect([outcome(other), ...protocolsOf(other)]).toEqual([kind, 'http/1.1', 'http/1.1']);
    const none = offer(first, world.client(), web);
    expect([outcome(none), ...protocolsOf(none)]).toEqual([kind, undefined, undefined]);
  });

  it('R7301-3.2-1 none in common ends a resumption as it ends a full handshake', () => {
    const ftp = world.client({ alpnProtocols: ['ftp'] });
    expect(outcome(connectSync(ftp, web))).toBe('server: no_application_protocol');
    expect(outcome(offer(first, ftp, web))).toBe('server: no_application_protocol');
    const mail = world.server({ alpnProtocols: ['imap'] });
    expect(outcome(offer(first, world.client({ alpnProtocols: ['h2'] }), mail))).toBe(
      'server: no_application_protocol',
    );
  });
});
