/** Go issue 77217: configurations picked per hello by a callback share ticket keys, and sessions cross between them. */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { Session } from '../../src/sessions/session.js';
import { connectSync, kinds, makeWorld, offer, outcome, sessionOf, shameless } from '../support/attack-rig.js';
import { connect, theEvent } from '../support/connections.js';
import { clientCredentials } from '../support/credentials.js';

describe.each(kinds)('settings chosen by callback (%s)', (kind) => {
  const world = makeWorld(kind);
  const tenants = {
    one: world.server({ applicationContext: ascii('one'), alpnProtocols: ['one'] }),
    two: world.server({ applicationContext: ascii('two'), alpnProtocols: ['two'] }),
  };
  const front = world.server({
    chooseSettings: ({ alpnProtocols: [protocol] }) => (protocol === 'one' ? tenants.one : tenants.two),
  });

  it('P-bind-1 the context in the session keeps them apart, although name, keys and store are the same', () => {
    const first = connectSync(world.client({ alpnProtocols: ['one'] }), front);
    expect(outcome(offer(first, world.client({ alpnProtocols: ['two'] }), front))).toBe('full: context_mismatch');
    expect(outcome(offer(first, world.client({ alpnProtocols: ['one'] }), front))).toBe(kind);
  });

  it('P-bind-1 without a context of their own, how they authenticate clients keeps them apart', async () => {
    const open = world.server();
    const guarded = world.server({ clientAuthentication: 'require' });
    const byProtocol = world.server({
      chooseSettings: ({ alpnProtocols: [protocol] }) => Promise.resolve(protocol === 'open' ? open : guarded),
    });
    const settled = (alpnProtocol: string, session?: Session) => {
      const client = world.client({ alpnProtocols: [alpnProtocol], credentials: [clientCredentials] });
      return connect(session === undefined ? client : shameless(client, session), byProtocol, { driver: 'async' });
    };
    const session = sessionOf(await settled('open'));
    const attack = await settled('guarded', session);
    expect(outcome(attack)).toBe('full: client_authentication_mismatch');
    expect(theEvent(attack.server, 'handshake').peerCertificates).toEqual(clientCredentials.certificates);
    expect(outcome(await settled('open', session))).toBe(kind);
  });

  it('P-bind-1 P-key-3 nor does a session cross to a server of another process with the same keys or store', () => {
    const first = connectSync(world.client({ alpnProtocols: ['one'] }), front);
    const elsewhere = world.server({ applicationContext: ascii('elsewhere') });
    expect(outcome(offer(first, world.client(), elsewhere))).toBe('full: context_mismatch');
  });
});
