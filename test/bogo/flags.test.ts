import { describe, expect, it } from 'vitest';
import { parseFlags, Unimplemented } from './flags.js';

describe('flags of a shim', () => {
  it('counts a flag without a prefix for each connection, and one with a prefix for its own', () => {
    const { initial, resume, retry } = parseFlags([
      ...['-server', '-port', '4711', '-on-resume-expect-session-miss'],
      ...['-on-initial-curves', '29', '-curves', '23', '-on-retry-select-alpn', 'foo'],
    ]);
    expect([initial.server, resume.server, retry.server]).toEqual([true, true, true]);
    expect(initial.port).toBe(4711);
    expect([initial, resume, retry].map((each) => each['expect-session-miss'])).toEqual([undefined, true, undefined]);
    expect([initial.curves, resume.curves, retry.curves]).toEqual([[29, 23], [23], [23]]);
    expect(retry['select-alpn']).toBe('foo');
  });

  it('gives a flag of a credential to the one that was introduced last', () => {
    const { initial } = parseFlags([
      ...['-cert-file', 'first.pem', '-new-x509-credential', '-cert-file', 'second.pem'],
      ...['-new-psk-credential', '-psk-importer-key', 'AQI='],
    ]);
    expect(initial.credential['cert-file']).toBe('first.pem');
    expect(initial.credentials).toEqual([
      { kind: 'x509', 'cert-file': 'second.pem' },
      { kind: 'psk', 'psk-importer-key': Uint8Array.of(1, 2) },
    ]);
  });

  it('passes over what is for the handshaker', () => {
    const { initial } = parseFlags(['-on-handshaker-port', '1', '-on-shim-port', '2']);
    expect(initial.port).toBe(2);
  });

  it('says so where it knows no such flag', () => {
    expect(() => parseFlags(['-send-channel-id', 'key.pem'])).toThrow(Unimplemented);
    expect(() => parseFlags(['-port'])).toThrow('got no value for -port');
  });
});
