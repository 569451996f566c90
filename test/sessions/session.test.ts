import { expect, it } from 'vitest';
import { wipeSession } from '../../src/sessions/session.js';
import { masterSecret, psk, smallSession, smallTls13Session } from './sessions.js';

it('wipeSession overwrites the secret of either version', () => {
  const tls12 = { ...smallSession, masterSecret: masterSecret.slice() };
  const tls13 = { ...smallTls13Session, psk: psk.slice() };
  wipeSession(tls12);
  wipeSession(tls13);
  expect(tls12.masterSecret).toEqual(new Uint8Array(48));
  expect(tls13.psk).toEqual(new Uint8Array(32));
});
