import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Reading the sources anew for each of two hundred files takes longer than most of the files; no test needs a module to be new.
    isolate: false,
    // The other side is another process, on a machine that may be busy.
    expect: { poll: { timeout: 10_000 } },
    // The default leaves a core idle, and that is half of a small machine.
    maxWorkers: '100%',
    // Interop tests start real programs on small and busy machines; a test that waits for nobody ends long before this.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
