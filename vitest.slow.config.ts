import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** `npm run test:slow`: runs that are too long for every change. `SLOW_TEST_SECONDS` bounds each of them. */
const seconds = Number(process.env['SLOW_TEST_SECONDS'] ?? 900);

/** Of which `npm test` runs a part (test/support/thorough.ts). */
const sampled = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes('support/thorough.js'));

export default defineConfig({
  test: {
    include: ['test/**/*.slow.ts', ...sampled],
    env: { TEST_THOROUGH: 'yes' },
    fileParallelism: false,
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
  },
});
