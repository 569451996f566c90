/** Whether the memory of nodes is flat across the run: looked at after each row, when no connection is open and garbage was just collected. */
import { fewestSamples, growthOf, warmUp, type Sample } from '../soak/verdict.js';
import { Figures } from './figures.js';
import type { Fleet } from './fleet.js';

interface NodeSample extends Sample {
  readonly residentSet: number;
}

/** Bytes that the resident set may grow by between two thirds of the run: pages that the allocator keeps come and go. */
const toleratedResidentSet = 32 * 2 ** 20;

export class MemoryWatch {
  readonly #samples = new Map<string, NodeSample[]>();

  async sample(fleet: Fleet): Promise<void> {
    const at = performance.now() / 1000;
    for (const member of fleet.members) {
      const { heapUsed, external, residentSet, connections } = await member.report();
      const samples = this.#samples.get(member.name) ?? [];
      samples.push({ at, heapUsed, external, residentSet, connections });
      this.#samples.set(member.name, samples);
    }
  }

  /** Of nodes that have lived long enough: a row of the table. */
  judge(): Figures {
    const figures = new Figures();
    for (const [name, samples] of this.#samples) {
      const first = samples[Math.floor(samples.length * warmUp)];
      const last = samples.at(-1);
      const heap = growthOf(samples, ({ heapUsed, external }) => heapUsed + external);
      if (heap === undefined || first === undefined || last === undefined) continue;
      const residentSet = last.residentSet - first.residentSet;
      figures.notes.push(
        `${name}, ${last.connections} connections: heap and arrays ${mebibytes(last.heapUsed + last.external)}, ` +
          `grew by ${mebibytes(heap.growth)} of ${mebibytes(heap.tolerated)} that are tolerated; ` +
          `resident set ${mebibytes(last.residentSet)}, grew by ${mebibytes(residentSet)} of ${mebibytes(toleratedResidentSet)}`,
      );
      figures.expectAtMost(heap.tolerated, heap.growth, `${name}: bytes of growth, heap and arrays`);
      figures.expectAtMost(toleratedResidentSet, residentSet, `${name}: bytes of growth, resident set`);
    }
    if (figures.notes.length === 0)
      figures.notes.push(`too few rows for a statement: ${Math.ceil(fewestSamples / (1 - warmUp))} make one`);
    return figures;
  }
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
