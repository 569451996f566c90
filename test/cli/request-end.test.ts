import { describe, expect, it } from 'vitest';
import { ascii } from '../../src/bytes.js';
import { isWholeRequest, maxRequestLength, RequestEnd } from '../../src/cli/request-end.js';

describe('the end of a request', () => {
  it.each([
    ['GET / HTTP/1.0\r\n\r\n', true],
    ['GET / HTTP/1.0\n\n', true],
    ['GET / HTTP/1.0\r\nHost: example.test\r\n\r\nmore', true],
    ['GET / HTTP/1.0\r\n', false],
    ['GET / HTTP/1.0\r\nHost: example.test\r\n', false],
    ['\r\r\r\r', false],
    ['', false],
  ])('%j: %s, in one piece and byte by byte', (text, ends) => {
    expect(isWholeRequest(ascii(text))).toBe(ends);
    const request = new RequestEnd();
    const answers = Array.from(ascii(text), (byte) => request.push(Uint8Array.of(byte)));
    expect(answers.at(-1) ?? false).toBe(ends);
    // Once found, the end stays found; and not a byte too early.
    const end = /\r\n\r\n|\n\n/.exec(text);
    expect(answers.indexOf(true)).toBe(end === null ? -1 : end.index + end[0].length - 1);
  });

  it('a request without an end ends at the limit', () => {
    const request = new RequestEnd();
    expect(request.push(new Uint8Array(maxRequestLength - 1).fill(65))).toBe(false);
    expect(request.push(Uint8Array.of(65))).toBe(true);
  });
});
