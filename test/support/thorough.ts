/**
 * Tests that go through every byte, every call or every vector, for seconds each. `npm test` takes every n-th, always the same
 * ones; `npm run test:slow` runs the same files with all of them: those that import this.
 */
export const isThorough = process.env['TEST_THOROUGH'] === 'yes';

/** From one to the next: `n` in `npm test`, 1 in `npm run test:slow`. */
export const stride = (n: number): number => (isThorough ? 1 : n);
