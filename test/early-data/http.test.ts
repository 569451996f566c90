import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideEarlyRequest,
  isSafeMethod,
  maySendEarly,
  retryAfterTooEarly,
  saysEarlyData,
  withEarlyData,
} from '../../src/early-data/http.js';

const request = (method: string | undefined, headers = {}) => ({ method, headers });
const forwarded = { 'early-data': '1' };

describe('methods', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE'])('%s is safe, and may be sent early', (method) => {
    expect([isSafeMethod(method), maySendEarly(request(method))]).toEqual([true, true]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'PROPFIND', 'get', 'GET ', '', undefined])(
    'R8470-4-1 %o is not known to be safe, and stays out of early data',
    (method) => {
      expect([isSafeMethod(method), maySendEarly(request(method))]).toEqual([false, false]);
    },
  );
});

describe('the field Early-Data', () => {
  it.each(['1', '0', '', 'yes', '1, 1', ['1', '1'], []])('%o counts as 1', (value) => {
    expect(saysEarlyData({ 'early-data': value })).toBe(true);
  });

  it('is not there where it is not there', () => {
    expect([saysEarlyData({}), saysEarlyData({ 'early-data': undefined, host: '1' })]).toEqual([false, false]);
  });

  it('stands once, with 1, in what a gateway forwards; the fields that came stay as they are', () => {
    const fields = { host: 'example.test', 'early-data': ['x', 'y'] };
    expect(withEarlyData(fields)).toEqual({ host: 'example.test', 'early-data': '1' });
    expect(withEarlyData({ host: 'example.test' })).toEqual({ host: 'example.test', 'early-data': '1' });
    expect(fields['early-data']).toEqual(['x', 'y']);
  });
});

describe('a server', () => {
  it('R8470-3-1 processes what came after the handshake, whatever it is', () => {
    for (const method of ['GET', 'POST']) expect(decideEarlyRequest(request(method), false)).toBe('process');
  });

  it('R8470-3-1 processes early what is safe, and lets the rest wait for the handshake', () => {
    expect(decideEarlyRequest(request('GET'), true)).toBe('process');
    expect(decideEarlyRequest(request('POST'), true)).toBe('wait');
    expect(decideEarlyRequest(request(undefined), true)).toBe('wait');
  });

  it('R8470-3-1 cannot wait for the handshake of a gateway: 425, early itself or not', () => {
    for (const isEarly of [true, false]) {
      expect(decideEarlyRequest(request('GET', forwarded), isEarly)).toBe('process');
      expect(decideEarlyRequest(request('POST', forwarded), isEarly)).toBe('too_early');
    }
  });

  it('R8470-3-1 processes early what its resources allow, and only that', () => {
    const isReplaySafe = ({ headers }: { headers: { path?: string } }) => headers.path === '/search';
    const decide = (path: string, early: object = {}) =>
      decideEarlyRequest({ method: 'GET', headers: { path, ...early } }, true, { isReplaySafe });
    expect([decide('/search'), decide('/pay'), decide('/pay', forwarded)]).toEqual(['process', 'wait', 'too_early']);
  });

  it('R8470-6.2-1 of any two that share a policy, none processes what the other does not, while it may be a replay', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), fc.boolean(), fc.boolean(), (method, isSafe, gateway, isEarly) => {
        const policy = { isReplaySafe: () => isSafe };
        const early = request(method, gateway ? forwarded : {});
        const decision = decideEarlyRequest(early, isEarly, policy);
        if (isEarly || gateway) expect(decision === 'process').toBe(isSafe);
        else expect(decision).toBe('process');
      }),
    );
  });
});

describe('a client that is answered 425', () => {
  const answered = { status: 425, sentEarly: true, retried: false };

  it('R8470-4-1 sends its request again, once', () => {
    expect(retryAfterTooEarly(answered)).toBe(true);
    expect(retryAfterTooEarly({ ...answered, retried: true })).toBe(false);
  });

  it('R8470-4-1 does not where it was not early, nor after another answer', () => {
    expect(retryAfterTooEarly({ ...answered, sentEarly: false })).toBe(false);
    for (const status of [200, 421, 424, 429, 503]) expect(retryAfterTooEarly({ ...answered, status })).toBe(false);
  });

  it('R8470-4-1 and is a gateway, leaves it to the client that said Early-Data', () => {
    expect(retryAfterTooEarly({ ...answered, receivedFields: forwarded })).toBe(false);
    expect(retryAfterTooEarly({ ...answered, receivedFields: { host: 'example.test' } })).toBe(true);
  });
});
