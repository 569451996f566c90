import { describe, expect, it } from 'vitest';
import type { CertificateQuestion } from '../../src/handshake/settings.js';
import { toHex } from '../../src/bytes.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import { connect, epoch, serverName, testClient, testServer, theEvent, ticketSealer } from '../support/connections.js';
import { trustingVerifier } from '../support/credentials.js';

describe('the session that a client offers', () => {
  it('P-bind-6 the stored chain is judged for the name asked for now, and a refused session is not offered', async () => {
    const { sealer } = ticketSealer('noble', 'offer');
    const server = testServer('noble', 'offer', { tickets: sealer });
    const sessions = new MemoryStore({ now: () => epoch });
    const questions: CertificateQuestion[] = [];
    let trusted = true;
    const client = testClient('noble', 'offer', {
      sessions,
      verifyCertificate(question) {
        questions.push(question);
        if (question.resumed && !trusted) return { accepted: false, alert: 'certificate_expired', reason: 'too late' };
        return trustingVerifier(question);
      },
    });

    const first = theEvent((await connect(client, server)).client, 'handshake');
    const resumed = theEvent((await connect(client, server)).client, 'handshake');
    trusted = false;
    const refused = theEvent((await connect(client, server)).client, 'handshake');

    expect([first, resumed, refused].map(({ mode, reason }) => [mode, reason])).toEqual([
      ['full', 'not_offered'],
      ['ticket', undefined],
      ['full', 'not_offered'],
    ]);
    expect(questions.map((question) => question.resumed)).toEqual([false, true, true, false]);
    expect(questions[1]).toMatchObject({ role: 'server', serverName });
    expect(questions[1]?.certificates.map(toHex)).toEqual(first.peerCertificates.map(toHex));
  });
});
