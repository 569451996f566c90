/** What is measured, in groups that each get a process of their own. */
import type { CryptoBackend } from '../src/crypto/backend.js';
import { nobleCrypto } from '../src/crypto/noble.js';
import { nodeCrypto } from '../src/crypto/node.js';
import {
  withPreparedKeyShares,
  type SupportedCipherSuite,
  type Tls12CipherSuite,
  type Tls13CipherSuite,
} from '../src/index.js';
import { bulk, recordLength, recordsPerRun } from './bulk.js';
import { codecCases } from './codecs.js';
import { tls13HandshakeFloor, type Tls13Kind } from './floor-tls13.js';
import { handshakeFloor } from './floor.js';
import { goals, type Goal } from './goals.js';
import { handshake, handshakeOverStreams } from './handshakes.js';
import { layoutCases, measuredLayouts } from './layouts.js';
import { measure, type Contender, type MeasureOptions } from './measure.js';
import { idleConnection, nodeTlsIdleConnection, type Footprint } from './memory.js';
import { nodeCryptoTicketCases, nodeTlsBulk, nodeTlsHandshake, socketBulk } from './peers.js';
import { redisRoundTripGroups } from './redis-round-trips.js';
import { replayGuardGroups } from './replay-guards.js';
import { socketHandshake, socketPairs } from './sockets.js';
import { stateCases } from './states.js';
import { storeGroups } from './store-groups.js';
import { ticketCases } from './tickets.js';

export type Row = CpuRow | MemoryRow | RoundTripRow;

export interface CpuRow {
  readonly suite: string;
  readonly case: string;
  readonly backend: string;
  /** CPU time of one run, all threads; both ends where there are two. */
  readonly cpuMicros: number;
  /** Of application data, where that is what is measured. */
  readonly megabytesPerSecond: number | null;
  readonly peer: string | null;
  readonly peerCpuMicros: number | null;
  /** How many times the peer's time ours is contained in. */
  readonly speedup: number | null;
  readonly goal: Goal | null;
}

/** Not beside a peer: the resident size says something only in a process of its own. */
export interface MemoryRow {
  readonly suite: string;
  readonly case: string;
  readonly backend: string;
  readonly bytes: number;
  readonly goal: Goal | null;
}

/** Counted: the same on every machine. */
export interface RoundTripRow {
  readonly suite: string;
  readonly case: string;
  readonly backend: string;
  /** That somebody waits for. */
  readonly roundTrips: number;
  /** All that were sent. */
  readonly commands: readonly string[];
  /** One of them in real time, the median. */
  readonly roundTripMilliseconds: number;
  readonly goal: Goal | null;
}

export type Group = (options: MeasureOptions) => Promise<Row[]>;

const tls12AesGcm = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const tls12ChaCha = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256';
const tls13AesGcm = 'TLS_AES_128_GCM_SHA256';
const tls13ChaCha = 'TLS_CHACHA20_POLY1305_SHA256';

export const groups: Readonly<Record<string, Group>> = {
  codecs,
  states,
  ...replayGuardGroups,
  ...storeGroups,
  ...redisRoundTripGroups,
  'tickets node': tickets(nodeCrypto),
  'tickets noble': tickets(nobleCrypto),
  ...layoutGroups(),
  'TLS 1.2 handshakes node': tls12Handshakes(nodeCrypto, tls12AesGcm),
  'TLS 1.2 handshakes noble': tls12Handshakes(nobleCrypto, tls12AesGcm),
  'TLS 1.2 handshakes noble chacha20': tls12Handshakes(nobleCrypto, tls12ChaCha),
  'TLS 1.3 handshakes node': tls13Handshakes(nodeCrypto, tls13AesGcm),
  'TLS 1.3 handshakes noble': tls13Handshakes(nobleCrypto, tls13AesGcm),
  'TLS 1.3 handshakes noble chacha20': tls13Handshakes(nobleCrypto, tls13ChaCha),
  'TLS 1.2 bulk node': bulkTransfer(nodeCrypto, tls12AesGcm),
  'TLS 1.2 bulk noble chacha20': bulkTransfer(nobleCrypto, tls12ChaCha),
  'TLS 1.3 bulk node': bulkTransfer(nodeCrypto, tls13AesGcm),
  'TLS 1.3 bulk noble chacha20': bulkTransfer(nobleCrypto, tls13ChaCha),
  'TLS 1.2 idle node': idleMemory('TLS 1.2', 'node', () => idleConnection(nodeCrypto, tls12AesGcm, 'ticket')),
  'TLS 1.2 idle noble': idleMemory('TLS 1.2', 'noble chacha20', () =>
    idleConnection(nobleCrypto, tls12ChaCha, 'ticket'),
  ),
  'TLS 1.2 idle node:tls': idleMemory('TLS 1.2', 'node:tls', () => nodeTlsIdleConnection('TLSv1.2 ticket')),
  'TLS 1.3 idle node': idleMemory('TLS 1.3', 'node', () => idleConnection(nodeCrypto, tls13AesGcm, 'psk_dhe_ke')),
  'TLS 1.3 idle noble': idleMemory('TLS 1.3', 'noble chacha20', () =>
    idleConnection(nobleCrypto, tls13ChaCha, 'psk_dhe_ke'),
  ),
  'TLS 1.3 idle node:tls': idleMemory('TLS 1.3', 'node:tls', () => nodeTlsIdleConnection('TLSv1.3 psk_dhe_ke')),
};

function labelOf(backend: CryptoBackend, suite: SupportedCipherSuite): string {
  return suite.includes('CHACHA20') ? `${backend.name} chacha20` : backend.name;
}

async function codecs(options: MeasureOptions): Promise<CpuRow[]> {
  const cases = codecCases();
  const micros = await measure(
    cases.map(({ case: name, run }) => ({ name, run })),
    options,
  );
  return cases.map(({ case: name }) => row('codecs', name, '-', micros.get(name)));
}

async function states(options: MeasureOptions): Promise<CpuRow[]> {
  const cases = stateCases();
  const contenders = cases.flatMap(({ case: name, run, peer }) => [
    { name, run },
    ...(peer === undefined ? [] : [{ name: `asn1js ${name}`, run: peer }]),
  ]);
  const micros = await measure(contenders, options);
  return cases.map(({ case: name }) =>
    row('states', name, '-', micros.get(name), 'asn1js', micros.get(`asn1js ${name}`), goals['-']?.[name]),
  );
}

function tickets(backend: CryptoBackend): Group {
  return async (options) => {
    const peers = nodeCryptoTicketCases();
    const cases = ticketCases(backend);
    const micros = await measure(
      [...cases.map((one) => contender('ours', one)), ...peers.map((one) => contender('peer', one))],
      options,
    );
    return cases.map(({ case: name }) =>
      row('tickets', name, backend.name, micros.get(`ours ${name}`), 'node:crypto', micros.get(`peer ${name}`)),
    );
  };
}

/** A process for each: a server has one layout, and a second one makes the call sites of both polymorphic. */
function layoutGroups(): Record<string, Group> {
  const which = Object.keys(measuredLayouts) as (keyof typeof measuredLayouts)[];
  return Object.fromEntries(
    which.flatMap((name) =>
      [nodeCrypto, nobleCrypto].map((backend) => [`layout ${name} ${backend.name}`, layout(name, backend)]),
    ),
  );
}

function layout(which: keyof typeof measuredLayouts, backend: CryptoBackend): Group {
  return async (options) => {
    const { ours, peers } = layoutCases(which, backend);
    const micros = await measure(
      [...ours.map((one) => contender('ours', one)), ...peers.map((one) => contender('peer', one))],
      options,
    );
    return ours.map(({ case: name }) =>
      row(
        `layout ${which}`,
        name,
        backend.name,
        micros.get(`ours ${name}`),
        'node:crypto',
        micros.get(`peer ${name}`),
        goals[backend.name]?.[`layout ${which} ${name}`],
      ),
    );
  };
}

function contender(prefix: string, { case: name, run }: { case: string; run: () => void }): Contender {
  return { name: `${prefix} ${name}`, run };
}

/** All in one measurement: what they have in common is warm for all, and one peer serves several. */
function tls12Handshakes(backend: CryptoBackend, suite: Tls12CipherSuite): Group {
  return async (options) => {
    const cases: HandshakeCase[] = [];
    for (const mode of ['full', 'session_id', 'ticket'] as const)
      cases.push(
        { kind: mode, peer: mode, name: 'in memory', run: handshake(backend, suite, mode) },
        { kind: mode, peer: mode, name: 'behind streams', run: await handshakeOverStreams(backend, suite, mode) },
        { kind: mode, peer: mode, name: 'sockets', run: await socketHandshake(backend, suite, mode) },
        { kind: mode, peer: mode, name: 'crypto floor', run: handshakeFloor(backend, suite, mode) },
      );
    const peers = [
      { name: 'full', run: await nodeTlsHandshake('TLSv1.2 full') },
      { name: 'session_id', run: await nodeTlsHandshake('TLSv1.2 session_id') },
      { name: 'ticket', run: await nodeTlsHandshake('TLSv1.2 ticket') },
    ];
    return handshakeRows('TLS 1.2', labelOf(backend, suite), options, cases, peers);
  };
}

function tls13Handshakes(backend: CryptoBackend, suite: Tls13CipherSuite): Group {
  return async (options) => {
    const cases: HandshakeCase[] = [];
    for (const kind of ['full', 'psk_dhe_ke', 'psk_ke', '0-RTT'] as const) {
      // node:tls has neither psk_ke nor early data: psk_dhe_ke is what its users do in place of them.
      const of = { kind, peer: kind === 'full' ? 'full' : 'psk_dhe_ke' };
      cases.push({ ...of, name: 'in memory', run: handshake(backend, suite, kind) });
      if (backend === nodeCrypto)
        cases.push({ ...of, name: 'behind streams', run: await handshakeOverStreams(backend, suite, kind) });
      else if (kind !== 'psk_ke') cases.push({ ...of, ...preparedHandshake(suite, kind) });
      if (backend === nodeCrypto && (kind === 'full' || kind === 'psk_dhe_ke'))
        cases.push({ ...of, name: 'sockets', run: await socketHandshake(backend, suite, kind) });
      cases.push({ ...of, name: 'crypto floor', run: tls13HandshakeFloor(backend, suite, kind) });
    }
    const peers = [
      { name: 'full', run: await nodeTlsHandshake('TLSv1.3 full') },
      { name: 'psk_dhe_ke', run: await nodeTlsHandshake('TLSv1.3 psk_dhe_ke') },
    ];
    return handshakeRows('TLS 1.3', labelOf(backend, suite), options, cases, peers);
  };
}

/** What a handshake costs when the key pairs of both ends were made at a quiet time. */
function preparedHandshake(suite: Tls13CipherSuite, kind: Tls13Kind): Contender {
  const crypto = withPreparedKeyShares(nobleCrypto, { count: preparedPairs });
  const prepare = () => void crypto.prepare();
  return { name: 'keys prepared', run: handshake(crypto, suite, kind), prepare, maximumRuns: preparedPairs / 2 };
}

/** The most that are kept. */
const preparedPairs = 256;

interface HandshakeCase extends Contender {
  readonly kind: string;
  /** The name of what it is compared with. */
  readonly peer: string;
}

async function handshakeRows(
  version: string,
  backend: string,
  options: MeasureOptions,
  cases: readonly HandshakeCase[],
  peers: readonly Contender[],
): Promise<Row[]> {
  const contenders = cases.map((one) => ({ ...one, name: `${one.kind}, ${one.name}` }));
  const micros = await measure([...contenders, ...peers], options);
  return cases.map(({ kind, name, peer: peerName }, i) => {
    const goal = name === 'in memory' ? goals[backend]?.[`${version} ${kind}`] : undefined;
    const ours = micros.get(contenders[i]?.name ?? '');
    return row(`${version} handshake, ${name}`, kind, backend, ours, nodeTls, micros.get(peerName), goal);
  });
}

const nodeTls = 'node:tls';

function bulkTransfer(backend: CryptoBackend, suite: SupportedCipherSuite): Group {
  return async (options) => {
    const version = suite.startsWith('TLS_ECDHE') ? 'TLSv1.2' : 'TLSv1.3';
    const sockets = await socketPairs(backend, suite, 'full')();
    const micros = await measure(
      [
        { name: 'in memory', run: bulk(backend, suite) },
        { name: 'sockets', run: socketBulk(sockets) },
        { name: nodeTls, run: await nodeTlsBulk(version) },
      ],
      options,
    );
    const label = labelOf(backend, suite);
    const words = `TLS ${version.slice(-3)} bulk`;
    return ['in memory', 'sockets'].map((name) => ({
      ...row(
        `${words}, ${name}`,
        `${String(recordsPerRun)} x 16 KiB one way`,
        label,
        micros.get(name),
        nodeTls,
        micros.get(nodeTls),
        name === 'in memory' ? goals[label]?.[words] : undefined,
      ),
      megabytesPerSecond: (recordsPerRun * recordLength) / (micros.get(name) ?? NaN),
    }));
  };
}

function idleMemory(version: string, label: string, measureIt: () => Promise<Footprint>): Group {
  return async () => {
    const { heapBytes, residentBytes } = await measureIt();
    const suite = `${version} idle connection, one end`;
    const goal = goals[label]?.[`${version} idle`] ?? null;
    return [
      { suite, case: 'heap and arrays', backend: label, bytes: heapBytes, goal },
      { suite, case: 'resident size', backend: label, bytes: residentBytes, goal: null },
    ];
  };
}

function row(
  suite: string,
  name: string,
  backend: string,
  cpuMicros = NaN,
  peerName?: string,
  peerCpuMicros?: number,
  goal: Goal | null = null,
): CpuRow {
  const common = { suite, case: name, backend, cpuMicros, megabytesPerSecond: null, goal };
  if (peerName === undefined || peerCpuMicros === undefined)
    return { ...common, peer: null, peerCpuMicros: null, speedup: null };
  return { ...common, peer: peerName, peerCpuMicros, speedup: peerCpuMicros / cpuMicros };
}
