import { defineConfig } from 'vitest/config';

/** `npm run test:slow`: runs that are too long for every change. `SLOW_TEST_SECONDS` bounds each of them. */
const seconds = Number(process.env['SLOW_TEST_SECONDS'] ?? 900);

export default defineConfig({
  test: {
    include: ['test/**/*.slow.ts'],
    fileParallelism: false,
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
  },
});
