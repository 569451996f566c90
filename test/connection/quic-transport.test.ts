/** QUIC has no records (RFC 9001 4): a step of TLS 1.2 that ends up there is a mistake of ours, and ends the connection. */
import { expect, it } from 'vitest';
import { QuicTransport } from '../../src/connection/quic-transport.js';

it.each(['changeReadProtection', 'changeWriteProtection'] as const)('%s: internal_error', (step) => {
  expect(() => new QuicTransport()[step]()).toThrow(
    expect.objectContaining({ alert: 'internal_error', message: 'QUIC has no record protection' }),
  );
});
