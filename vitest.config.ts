import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Interop tests start real programs on small machines; a test that waits for nobody ends long before this.
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
