/** The flows of TLS 1.3 that differ in what is waited for. Each is played anew by settings that draw from the same seeds. */
import { ascii } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import type { CertificateCompression } from '../../src/crypto/certificate-compression.js';
import { MemoryReplayGuard } from '../../src/early-data/memory-replay-guard.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import type { Session } from '../../src/sessions/session.js';
import {
  epoch,
  eventsOf,
  makePair,
  pump,
  ticketSealer,
  tls13Client,
  tls13Server,
  type Changes,
} from './connections.js';
import { clientCredentials } from './credentials.js';
import type { Flow } from './replay.js';

/** The sweeps run on the fast backend; that the other says the same is shown by the flows. */
const backend = 'node';

interface Parts {
  readonly client?: Changes<ClientOptions>;
  readonly server?: () => Changes<ServerOptions>;
  /** Begins with a session of such a client and server. */
  readonly resumes?: boolean;
}

export interface Tls13Flow extends Flow {
  /** What the client says before the server has said anything. */
  readonly early: Uint8Array;
}

const now = () => epoch;
/** Each server seals its first ticket with the same randomness. */
const withTickets = () => ({ tickets: ticketSealer(backend, 'flows of TLS 1.3').sealer });
const reading = () => ({
  earlyData: { maxSize: 1000, replayGuard: new MemoryReplayGuard({ now }), ticketsAreOfThisProcessAlone: true },
});

let session: Session | undefined;
/** A ticket that allows early data; one for all flows. */
function sessionOnce(): Session {
  if (session !== undefined) return session;
  const server = tls13Server(backend, 'before', { ...withTickets(), ...reading() });
  const pair = pump(makePair(tls13Client(backend, 'before'), server));
  return (session = eventsOf(pair.client, 'session')[0]!.session);
}

/** The ticket is a handle into the server's store, which takes it out. */
function statefulFlow(name: string): Tls13Flow {
  let prepared: { session: Session; handle: Uint8Array; state: Uint8Array } | undefined;
  const prepare = () => {
    if (prepared !== undefined) return prepared;
    const store = new MemoryStore({ now });
    const pair = pump(makePair(tls13Client(backend, name), tls13Server(backend, name, { sessions: store })));
    const session = eventsOf(pair.client, 'session')[0]!.session;
    const handle = session.ticket!;
    return (prepared = { session, handle, state: store.get(handle)! });
  };
  const storeWithIt = () => {
    const store = new MemoryStore({ now });
    store.set(prepare().handle, prepare().state, Infinity);
    return store;
  };
  return {
    name,
    early: new Uint8Array(0),
    client: (changes) => tls13Client(backend, name, { session: prepare().session, ...changes }),
    server: (changes) => tls13Server(backend, name, { sessions: storeWithIt(), ...changes }),
  };
}

function flow(name: string, { client, server, resumes = false }: Parts): Tls13Flow {
  return {
    name,
    early: client?.earlyData === true ? ascii('early') : new Uint8Array(0),
    client: (changes) =>
      tls13Client(backend, name, { ...(resumes && { session: sessionOnce() }), ...client, ...changes }),
    server: (changes) => tls13Server(backend, name, { ...withTickets(), ...server?.(), ...changes }),
  };
}

const otherShare = { groups: ['secp256r1', 'x25519'], keyShareGroups: ['secp256r1'] } as const;
const otherGroup = { groups: ['x25519'] } as const;
const psk = { identity: ascii('from elsewhere'), key: new Uint8Array(32).fill(7) };
const verbatim: CertificateCompression = {
  algorithm: 'zlib',
  compress: (data) => data.slice(),
  decompress: (data, length) => (data.length === length ? data.slice() : undefined),
};

export const tls13Flows = {
  full: flow('full', {}),
  retry: flow('HelloRetryRequest', { client: otherShare, server: () => otherGroup }),
  mutual: flow('mutual', {
    client: { credentials: [clientCredentials] },
    server: () => ({ clientAuthentication: 'require' }),
  }),
  mutualWithoutCertificate: flow('mutual without certificate', { server: () => ({ clientAuthentication: 'request' }) }),
  compressed: flow('certificate compression', {
    client: { credentials: [clientCredentials], certificateCompression: [verbatim] },
    server: () => ({ clientAuthentication: 'require', certificateCompression: [verbatim] }),
  }),
  psk: flow('PSK', { resumes: true }),
  pskRetry: flow('PSK, HelloRetryRequest', { resumes: true, client: otherShare, server: () => otherGroup }),
  pskKe: flow('psk_ke', {
    resumes: true,
    client: { pskKeyExchangeModes: ['psk_ke'] },
    server: () => ({ pskKeyExchangeModes: ['psk_ke'] }),
  }),
  external: flow('external PSK', {
    client: { externalPsks: [{ ...psk, role: 'client' }] },
    server: () => ({ externalPsks: [{ ...psk, role: 'server' }] }),
  }),
  stateful: statefulFlow('stateful ticket'),
  early: flow('early data', { resumes: true, client: { earlyData: true }, server: reading }),
  earlyRejected: flow('early data rejected', { resumes: true, client: { earlyData: true } }),
  earlyRetry: flow('early data rejected by HelloRetryRequest', {
    resumes: true,
    client: { earlyData: true, ...otherShare },
    server: () => ({ ...reading(), ...otherGroup }),
  }),
} satisfies Record<string, Tls13Flow>;
