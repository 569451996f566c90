/**
 * Mbed TLS (July 2026), "Ignored TLS 1.3 resumption secret derivation error": where a derivation fails, zeros or the keys of before stay
 * in use. The backend of one side fails at each of its calls, in every flow of TLS 1.3.
 */
import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { outcome } from '../support/attack-rig.js';
import {
  loggable,
  makeTls13World,
  pairOf,
  retryingClient,
  retryingServer,
  rogueClient,
  rogueServer,
  secretsIn,
  sessionsOf,
} from '../support/attack-rig-tls13.js';
import { eventsOf, pump, theEvent, type Changes, type Pair } from '../support/connections.js';
import { clientCredentials } from '../support/credentials.js';
import { BackendFailure, failingCrypto } from '../support/failing-crypto.js';

interface Flow {
  readonly name: string;
  readonly resumes?: boolean;
  readonly early?: boolean;
  readonly client?: Changes<ClientOptions>;
  readonly server?: Changes<ServerOptions>;
  readonly outcome: string;
}

const external = { identity: ascii('x'), key: new Uint8Array(32).fill(1) };
const pskKe = { pskKeyExchangeModes: ['psk_ke'] } as const;
const flows: Flow[] = [
  { name: 'full', outcome: 'full: not_offered' },
  { name: 'HelloRetryRequest', client: retryingClient, server: retryingServer, outcome: 'full: not_offered' },
  {
    name: 'mutual',
    client: { credentials: [clientCredentials] },
    server: { clientAuthentication: 'require' },
    outcome: 'full: not_offered',
  },
  { name: 'PSK', resumes: true, outcome: 'psk' },
  { name: 'PSK and HelloRetryRequest', resumes: true, client: retryingClient, server: retryingServer, outcome: 'psk' },
  { name: 'psk_ke', resumes: true, client: pskKe, server: pskKe, outcome: 'psk_ke' },
  { name: 'early data accepted', resumes: true, early: true, outcome: 'psk' },
  { name: 'early data rejected', resumes: true, early: true, server: { earlyData: undefined }, outcome: 'psk' },
  {
    name: 'early data and HelloRetryRequest',
    resumes: true,
    early: true,
    client: retryingClient,
    server: retryingServer,
    outcome: 'psk',
  },
  {
    name: 'external PSK',
    client: { externalPsks: [{ ...external, role: 'client' }] },
    server: { externalPsks: [{ ...external, role: 'server' }] },
    outcome: 'psk',
  },
];

type Failing = (crypto: CryptoBackend) => CryptoBackend;

/** All worlds begin at one time and have one ticket key. */
const ticket = makeTls13World().session();

/** The flow with data and new keys behind it, one side on a backend of this kind. */
function play(flow: Flow, side: 'client' | 'server', failing: Failing): { pair: Pair; secrets: string[] } {
  const world = makeTls13World();
  world.clock.time += 1000;
  const session = flow.resumes === true ? ticket : undefined;
  const lines: string[] = [];
  const keyLog = (line: string) => void lines.push(line);
  const changes = { session, earlyData: flow.early ?? false, keyLog };
  const settings = {
    client: world.client({ ...flow.client, ...changes }),
    server: world.server({ ...flow.server, keyLog }),
  };
  settings[side] = { ...settings[side], crypto: failing(settings[side].crypto) } as never;
  const pair = pairOf(rogueClient(settings.client), rogueServer(settings.server));
  const { connection } = pair.client;
  if (flow.early === true && connection.earlyDataAllowance > 0) connection.writeEarlyData(ascii('early'));
  pump(pair);
  for (const end of [pair.client, pair.server])
    if (end.connection.state === 'open') {
      end.connection.write(ascii('data'));
      // What is written may be what fails.
      if (isOpen(end)) end.connection.updateKeys({ requestPeer: true });
      pump(pair);
    }
  return { pair, secrets: secretsIn(lines) };
}

const isOpen = ({ connection }: Pair['client']) => connection.state === 'open';

const cases = flows.flatMap((flow) => (['client', 'server'] as const).map((side) => ({ name: flow.name, side, flow })));

describe.each(cases)('$name: the $side', ({ side, flow }) => {
  it('P-state-2 any call of its backend fails: internal_error, no session before a handshake, no secret in what is told', () => {
    // Constants that are computed once would shift the count.
    play(flow, side, (crypto) => crypto);
    let calls = () => 0;
    const counted = play(flow, side, (crypto) => {
      const made = failingCrypto(crypto, Infinity, false);
      calls = made.calls;
      return made.crypto;
    });
    expect(outcome(counted.pair)).toBe(flow.outcome);
    expect(isOpen(counted.pair.client) && isOpen(counted.pair.server)).toBe(true);
    const total = calls();
    expect(total).toBeGreaterThan(40);
    for (let failsAt = 1; failsAt <= total; failsAt++) {
      const goesOn = failsAt % 2 === 0;
      const { pair, secrets } = play(flow, side, (crypto) => failingCrypto(crypto, failsAt, goesOn).crypto);
      const own = pair[side];
      const where = `call ${failsAt}`;
      const close = theEvent(own, 'close');
      expect(close, where).toMatchObject({ reason: 'error', error: { name: 'AlertError', alert: 'internal_error' } });
      expect(close.error?.cause, where).toBeInstanceOf(BackendFailure);
      expect([own.events.at(-1), own.connection.state], where).toEqual([close, 'closed']);
      // Keys that failed are used for nothing: what was told before stands on keys that were right.
      if (eventsOf(own, 'handshake').length === 0) expect(sessionsOf({ client: own }), where).toEqual([]);
      expect(eventsOf(pair[side === 'client' ? 'server' : 'client'], 'close').length, where).toBeLessThanOrEqual(1);
      const logged = loggable(pair.client) + loggable(pair.server);
      expect(
        secrets.filter((secret) => logged.includes(secret)),
        where,
      ).toEqual([]);
    }
  });
});

describe('secrets of zeros', () => {
  const givingZeros: Failing = (crypto) => ({
    ...crypto,
    hmac: (hash, key) => {
      const { outputLength, destroy } = crypto.hmac(hash, key);
      return { outputLength, destroy, compute: () => new Uint8Array(outputLength) };
    },
  });

  it.each(['client', 'server'] as const)('P-state-2 derived by the %s: no handshake, and no session', (side) => {
    for (const flow of flows) {
      const { pair } = play(flow, side, givingZeros);
      expect(isOpen(pair[side]), flow.name).toBe(false);
      expect([...eventsOf(pair.client, 'session'), ...eventsOf(pair[side], 'handshake')], flow.name).toEqual([]);
    }
  });
});
