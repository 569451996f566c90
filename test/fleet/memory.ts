/**
 * Whether the memory of nodes is flat: looked at after each row, and after each of many rounds in the end, when no connection is open and
 * garbage was just collected. In the end, when every path has been taken, it is judged as soak judges it; across the run, more generously.
 */
import { growthOf, toleratedBytesPerConnection, warmUp, type Sample } from '../soak/verdict.js';
import { Figures } from './figures.js';
import type { Fleet } from './fleet.js';
import type { Length } from './length.js';
import { clientsOf, round } from './load.js';
import { judged } from './rows.js';

/** Bytes that a node may grow by between its first third and the end: code that is compiled when something happens for the first time. */
const toleratedAcross = 4 * 2 ** 20;
/** Of the resident set: pages that the allocator keeps come and go. */
const toleratedResidentSet = 32 * 2 ** 20;

interface NodeSample extends Sample {
  readonly residentSet: number;
}

export class MemoryWatch {
  readonly #samples = new Map<string, NodeSample[]>();

  async sample(fleet: Fleet): Promise<void> {
    const at = performance.now() / 1000;
    for (const { name, heapUsed, external, residentSet, connections } of await fleet.reports()) {
      const samples = this.#samples.get(name) ?? [];
      samples.push({ at, heapUsed, external, residentSet, connections });
      this.#samples.set(name, samples);
    }
  }

  /** The last row. */
  async judge(fleet: Fleet, { memoryRounds }: Length): Promise<Figures> {
    const figures = new Figures();
    const clients = clientsOf(['tickets, TLS 1.3', 'tickets, TLS 1.2', 'Redis, TLS 1.3', 'Redis, TLS 1.2']);
    for (let i = 0; i < memoryRounds; i++) {
      await round(fleet, clients, figures);
      await this.sample(fleet);
    }
    for (const { name } of fleet.members) judgeNode(name, this.#samples.get(name) ?? [], memoryRounds, figures);
    return judged(fleet, figures);
  }
}

function judgeNode(name: string, samples: readonly NodeSample[], inTheEnd: number, figures: Figures): void {
  const first = samples[Math.floor(samples.length * warmUp)];
  const last = samples.at(-1);
  const end = growthOf(samples.slice(-inTheEnd), held);
  if (first === undefined || last === undefined || end === undefined) {
    figures.faults.push(`${name}: too few samples`);
    return;
  }
  const across = held(last) - held(first);
  const tolerated = toleratedAcross + toleratedBytesPerConnection * (last.connections - first.connections);
  const residentSet = last.residentSet - first.residentSet;
  figures.notes.push(
    `${name}, ${last.connections} connections: heap and arrays ${mebibytes(held(last))}; ` +
      `grew by ${mebibytes(end.growth)} in the end (${mebibytes(end.tolerated)} are tolerated), ` +
      `by ${mebibytes(across)} across the run (${mebibytes(tolerated)}); ` +
      `resident set ${mebibytes(last.residentSet)}, by ${mebibytes(residentSet)} (${mebibytes(toleratedResidentSet)})`,
  );
  figures.expectAtMost(end.tolerated, end.growth, `${name}: bytes of growth in the end`);
  figures.expectAtMost(tolerated, across, `${name}: bytes of growth across the run`);
  figures.expectAtMost(toleratedResidentSet, residentSet, `${name}: bytes of growth of the resident set`);
}

const held = ({ heapUsed, external }: Sample) => heapUsed + external;
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
