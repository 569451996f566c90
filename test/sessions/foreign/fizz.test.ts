import { describe, expect, it } from 'vitest';
import { ascii } from '../../../src/bytes.js';
import { readFizzState } from '../../../src/sessions/foreign/fizz.js';
import { hex } from '../../support/decoding.js';
import { expectReadSafely } from '../foreign.js';

const secret = '20' + '5e'.repeat(32);
const state = (client: string) =>
  hex(`0304 1301 00${secret} 0006 612e74657374 ${client} 00000007 000000006b016825 02 6832 0001 aa 000000006b016824`);

describe('readFizzState', () => {
  it('reads what the source says', () => {
    expect(readFizzState(state('00'))).toEqual({
      version: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      secret: new Uint8Array(32).fill(0x5e),
      serverIdentity: ascii('a.test'),
      client: { kind: 'none', certificate: {} },
      ticketAgeAdd: 7,
      issuedAt: 0x6b016825n,
      alpnProtocol: ascii('h2'),
      applicationToken: hex('aa'),
      handshakeTime: 0x6b016824n,
    });
    expect(readFizzState(state('01 0002 3000'))?.client).toEqual({ kind: 1, certificate: hex('3000') });
  });

  it('damaged: no throw, and nothing of TLS 1.2', () => {
    expectReadSafely(readFizzState, state('00'));
    const other = state('00');
    other[1] = 3;
    expect(readFizzState(other)).toBeUndefined();
  });
});
