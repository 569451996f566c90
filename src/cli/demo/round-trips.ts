/** The round-trip table of TLS, measured: how long a client waits for the first byte of a response over a link with delay. */
import { nodeVerifier } from '../../adapters/x509/index.js';
import { createSecureContext, nodeCrypto } from '../../adapters/node/index.js';
import { clientSettings, serverSettings } from '../../connection/config.js';
import type { HandshakeVersion } from '../../messages/handshake.js';
import { MemoryReplayGuard } from '../../early-data/memory-replay-guard.js';
import type { Session } from '../../sessions/session.js';
import { generateTicketKey } from '../../tickets/ticket-key.js';
import { KeyRing } from '../../tickets/key-ring.js';
import { RingSealer } from '../../tickets/ring-sealer.js';
import { timeRequest, type SimulatedClock } from './link.js';
import { serverName, type Identity } from './ourselves.js';
import type { Report } from './report.js';

/** Milliseconds in each direction. */
const oneWay = 20;

const cases = [
  { handshake: 'TLS 1.2 full', version: 'TLSv1.2', resumes: false, earlyData: false, expected: 2 },
  { handshake: 'TLS 1.2 resumed', version: 'TLSv1.2', resumes: true, earlyData: false, expected: 1 },
  { handshake: 'TLS 1.3 full', version: 'TLSv1.3', resumes: false, earlyData: false, expected: 1 },
  { handshake: 'TLS 1.3 resumed', version: 'TLSv1.3', resumes: true, earlyData: false, expected: 1 },
  { handshake: 'TLS 1.3 0-RTT', version: 'TLSv1.3', resumes: true, earlyData: true, expected: 0 },
] as const;

export function measureRoundTrips(report: Report, identity: Identity): void {
  const clock: SimulatedClock = { now: Date.now() };
  const timings = cases.map(({ handshake, version, resumes, earlyData, expected }) => {
    const settings = settingsOf(clock, identity, version, earlyData);
    const { session } = resumes ? timeRequest(clock, oneWay, settings(undefined)) : { session: undefined };
    clock.now += 1000;
    const { timing } = timeRequest(clock, oneWay, settings(session));
    return { handshake, expected, timing };
  });
  report.addTimings(oneWay, timings);
}

function settingsOf(clock: SimulatedClock, { ca, cert, key }: Identity, version: HandshakeVersion, earlyData: boolean) {
  const now = () => clock.now;
  const common = { crypto: nodeCrypto, now, minVersion: version, maxVersion: version };
  const keys = new KeyRing({ crypto: nodeCrypto, now, keys: [generateTicketKey(nodeCrypto)] });
  const server = serverSettings({
    ...common,
    credentials: createSecureContext({ cert, key }).credentials,
    tickets: new RingSealer({ keys }),
    ...(earlyData && {
      earlyData: { maxSize: 16_384, replayGuard: new MemoryReplayGuard({ now }), ticketsAreOfThisProcessAlone: true },
    }),
  });
  const verifyCertificate = nodeVerifier({ ca });
  return (session: Session | undefined) => ({
    server,
    client: clientSettings({ ...common, serverName, verifyCertificate, earlyData, session: session ?? [] }),
  });
}
