/** `wake` is a callback like the others: what it throws ends the connection and nothing else (P-state-8). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlertError } from '../../src/errors.js';
import { connect, theEvent, testClient, testServer } from '../support/connections.js';

const unhandled: unknown[] = [];
const remember = (reason: unknown) => void unhandled.push(reason);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', remember);
});
afterEach(() => {
  process.off('unhandledRejection', remember);
});

describe('wake', () => {
  it.each(['client', 'server'] as const)(
    'P-state-8 that throws at the %s is an internal_error, not a rejection',
    async (role) => {
      const failing = {
        wake: () => {
          throw new Error('out of order');
        },
      };
      const pair = await connect(testClient('node', 'wake'), testServer('node', 'wake'), {
        driver: 'promises',
        [role]: failing,
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      const { reason, error } = theEvent(pair[role], 'close');
      expect(reason).toBe('error');
      expect(error).toBeInstanceOf(AlertError);
      expect(error?.code).toBe('internal_error');
      expect(unhandled).toEqual([]);
    },
  );
});
