import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { ascii, fromHex } from '../../src/bytes.js';
import * as values from '../../src/cli/values.js';

describe('values of options', () => {
  it.each([
    ['version', values.version, 'TLSv1.3', 'TLSv1.3'],
    ['version', values.version, '1.2', 'TLSv1.2'],
    ['version', values.version, 'tls1_3', 'TLSv1.3'],
    ['number', values.wholeNumber(0, 9), '9', 9],
    ['number or off', values.wholeNumberOrOff(9), '9', 9],
    ['number or off', values.wholeNumberOrOff(9), 'off', 'off'],
    ['number or off', values.wholeNumberOrOff(9), '0', 'off'],
    ['groups', values.groups, 'X25519,P-256', ['x25519', 'secp256r1']],
    ['groups', values.groups, 'prime256v1:secp384r1:X25519MLKEM768', ['secp256r1', 'secp384r1', 'X25519MLKEM768']],
    [
      'suites by both names',
      values.suites,
      'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256',
      ['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
    ],
    ['protocols', values.protocols, 'h2,http/1.1', ['h2', 'http/1.1']],
    ['psk', values.psk, 'a:b:00ff', { identity: ascii('a:b'), key: fromHex('00ff') }],
    ['target', values.target, 'example.test:443', { host: 'example.test', port: 443 }],
    ['target', values.target, '[::1]:443', { host: '::1', port: 443 }],
    ['target', values.target, '::1:443', { host: '::1', port: 443 }],
  ] as const)('%s: %#', (_, parse: (text: string) => unknown, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it.each([
    ['version', values.version, 'TLSv1.1'],
    ['number', values.wholeNumber(1, 9), '0'],
    ['number', values.wholeNumber(1, 9), '10'],
    ['number', values.wholeNumber(1, 9), '1e0'],
    ['number', values.wholeNumber(0, 9), ''],
    ['number or off', values.wholeNumberOrOff(9), '-1'],
    ['groups', values.groups, 'x448'],
    ['groups', values.groups, ''],
    ['suites', values.suites, 'TLS_RSA_WITH_AES_128_CBC_SHA'],
    ['protocols', values.protocols, 'h2,'],
    ['psk', values.psk, 'identity'],
    ['psk', values.psk, 'identity:'],
    ['psk', values.psk, 'identity:abc'],
    ['psk', values.psk, ':ab'],
    ['target', values.target, 'example.test'],
    ['target', values.target, 'example.test:0'],
    ['target', values.target, 'example.test:65536'],
    ['target', values.target, ':443'],
  ] as const)('%s refuses %j', (_, parse: (text: string) => unknown, text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
  });
});
