/** What is measured, in groups that each get a process of their own. */
import type { CryptoBackend } from '../src/crypto/backend.js';
import { nobleCrypto } from '../src/crypto/noble.js';
import { nodeCrypto } from '../src/crypto/node.js';
import type { HandshakeMode, Tls12CipherSuite } from '../src/index.js';
import { bulk } from './bulk.js';
import { codecCases } from './codecs.js';
import { handshakeFloor } from './floor.js';
import { handshake, handshakeOverStreams } from './handshakes.js';
import { measure, type Contender, type MeasureOptions } from './measure.js';
import { idleConnection, nodeTlsIdleConnection, type Footprint } from './memory.js';
import { nodeCryptoTicketCases, nodeTlsBulk, nodeTlsHandshake } from './peers.js';
import { socketHandshake } from './sockets.js';
import { ticketCases } from './tickets.js';

export type Row = CpuRow | MemoryRow;

export interface CpuRow {
  readonly suite: string;
  readonly case: string;
  readonly backend: string;
  /** CPU time of one run, all threads; both ends where there are two. */
  readonly cpuMicros: number;
  readonly peer: string | null;
  readonly peerCpuMicros: number | null;
  /** How many times the peer's time ours is contained in. */
  readonly speedup: number | null;
}

/** Not beside a peer: the resident size says something only in a process of its own. */
export interface MemoryRow {
  readonly suite: string;
  readonly case: string;
  readonly backend: string;
  readonly bytes: number;
}

export type Group = (options: MeasureOptions) => Promise<Row[]>;

const aesGcm = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const chaCha = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256';

export const groups: Readonly<Record<string, Group>> = {
  codecs,
  'tickets node': tickets(nodeCrypto),
  'tickets noble': tickets(nobleCrypto),
  'handshakes node': handshakes(nodeCrypto, aesGcm),
  'handshakes noble': handshakes(nobleCrypto, aesGcm),
  'handshakes noble chacha20': handshakes(nobleCrypto, chaCha),
  'bulk node': bulkTransfer(nodeCrypto, aesGcm),
  'bulk noble chacha20': bulkTransfer(nobleCrypto, chaCha),
  'memory node': idleMemory('node', () => idleConnection(nodeCrypto, aesGcm)),
  'memory noble': idleMemory('noble', () => idleConnection(nobleCrypto, aesGcm)),
  'memory node:tls': idleMemory('node:tls', nodeTlsIdleConnection),
};

async function codecs(options: MeasureOptions): Promise<CpuRow[]> {
  const cases = codecCases();
  const micros = await measure(
    cases.map(({ case: name, run }) => ({ name, run })),
    options,
  );
  return cases.map(({ case: name }) => row('codecs', name, '-', micros.get(name)));
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

function contender(prefix: string, { case: name, run }: { case: string; run: () => void }): Contender {
  return { name: `${prefix} ${name}`, run };
}

function handshakes(backend: CryptoBackend, suite: Tls12CipherSuite): Group {
  return async (options) => {
    const label = suite === chaCha ? `${backend.name} chacha20` : backend.name;
    const rows: Row[] = [];
    for (const mode of ['full', 'session_id', 'ticket'] as const satisfies HandshakeMode[]) {
      const micros = await measure(
        [
          { name: 'memory', run: handshake(backend, suite, mode) },
          { name: 'streams', run: await handshakeOverStreams(backend, suite, mode) },
          { name: 'sockets', run: await socketHandshake(backend, suite, mode) },
          { name: 'floor', run: handshakeFloor(backend, suite, mode) },
          { name: 'peer', run: await nodeTlsHandshake(mode) },
        ],
        options,
      );
      const peer = micros.get('peer');
      rows.push(
        row('handshakes', mode, label, micros.get('memory'), 'node:tls', peer),
        row('handshakes, streams', mode, label, micros.get('streams'), 'node:tls', peer),
        row('handshakes, sockets', mode, label, micros.get('sockets'), 'node:tls', peer),
        row('handshakes, crypto floor', mode, label, micros.get('floor'), 'node:tls', peer),
      );
    }
    return rows;
  };
}

function bulkTransfer(backend: CryptoBackend, suite: Tls12CipherSuite): Group {
  return async (options) => {
    const micros = await measure(
      [
        { name: 'ours', run: bulk(backend, suite) },
        { name: 'peer', run: await nodeTlsBulk() },
      ],
      options,
    );
    const label = suite === chaCha ? `${backend.name} chacha20` : backend.name;
    return [row('bulk', '16 KiB each way', label, micros.get('ours'), 'node:tls', micros.get('peer'))];
  };
}

function idleMemory(label: string, measureIt: () => Promise<Footprint>): Group {
  return async () => {
    const { heapBytes, residentBytes } = await measureIt();
    const suite = 'idle connection, one end';
    return [
      { suite, case: 'heap and arrays', backend: label, bytes: heapBytes },
      { suite, case: 'resident size', backend: label, bytes: residentBytes },
    ];
  };
}

function row(
  suite: string,
  name: string,
  backend: string,
  cpuMicros = NaN,
  peer?: string,
  peerCpuMicros?: number,
): CpuRow {
  if (peer === undefined || peerCpuMicros === undefined)
    return { suite, case: name, backend, cpuMicros, peer: null, peerCpuMicros: null, speedup: null };
  return { suite, case: name, backend, cpuMicros, peer, peerCpuMicros, speedup: peerCpuMicros / cpuMicros };
}
