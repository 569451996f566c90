/** What happened so far: by kind of connection, and how each ended. */
export class Tally {
  readonly #outcomes = new Map<string, Map<string, number>>();
  /** The first of them; the count goes on. */
  readonly unexpected: string[] = [];
  unexpectedCount = 0;
  connections = 0;

  count(kind: string, outcome: string): void {
    this.connections++;
    const outcomes = this.#outcomes.get(kind) ?? new Map<string, number>();
    this.#outcomes.set(kind, outcomes);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /** An outcome that nothing which was done explains. */
  complain(kind: string, what: string): void {
    this.unexpectedCount++;
    if (this.unexpected.length < 20) this.unexpected.push(`${kind}: ${what}`);
  }

  /** `{ full: { open: 12 } }`. */
  table(): Record<string, Record<string, number>> {
    return Object.fromEntries(
      [...this.#outcomes].sort().map(([kind, outcomes]) => [kind, Object.fromEntries(outcomes)]),
    );
  }
}
