import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Reading the sources anew for each of two hundred files takes longer than most of the files; no test needs a module to be new.
    isolate: false,
    // The other side is another process, on a machine that may be busy.
    expect: { poll: { timeout: 10_000 } },
    // The long files wait for other programs, and a worker that waits needs no core.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    // Interop tests start real programs on small and busy machines; a test that waits for nobody ends long before this.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
