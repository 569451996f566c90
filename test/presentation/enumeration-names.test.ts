import { describe, expect, it } from 'vitest';
import { cipherSuites } from '../../src/parameters.js';
import { enumerationNames, nameOf, numberOf, readNames } from '../../src/presentation/enumeration-names.js';
import { Reader } from '../../src/presentation/reader.js';
import { hex, misuse } from '../support/decoding.js';

const names = enumerationNames(cipherSuites);

describe('names and numbers', () => {
  it('are each other of all 65536 numbers, and those of the table have names', () => {
    let named = 0;
    for (let number = 0; number < 2 ** 16; number++) {
      const value = nameOf(names, number);
      if (typeof value === 'string') named++;
      else expect(value).toBe(number);
      expect(numberOf(names, value)).toBe(number);
    }
    expect(named).toBe(Object.keys(cipherSuites).length);
  });

  it('readNames reads what nameOf says of each number', () => {
    const bytes = new Uint8Array(2 ** 17).map((_, i) => (i % 2 === 0 ? i >> 9 : i >> 1));
    const reader = new Reader(bytes);
    expect(readNames(names, reader)).toEqual(Array.from({ length: 2 ** 16 }, (_, number) => nameOf(names, number)));
    expect(reader.offset).toBe(bytes.length);
  });

  it('refuse half a number, and a name that is in no table', () => {
    expect(() => readNames(names, new Reader(hex('1301 13')))).toThrow('[1]: got 1 bytes, expected 2 (at byte 2)');
    expect(misuse(() => numberOf(names, 'TLS_NULL'))).toBe('value_not_encodable');
  });
});
