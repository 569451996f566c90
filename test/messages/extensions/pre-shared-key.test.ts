import { describe, expect, it } from 'vitest';
import { findExtension } from '../../../src/messages/extensions/index.js';
import { offeredPsks, truncateClientHello, writeBinders } from '../../../src/messages/extensions/pre-shared-key.js';
import { decodeHandshake } from '../../../src/messages/handshake.js';
import { plaintextMessages, rfc8448Messages } from '../../support/capture.js';
import { hex, misuse, refusal } from '../../support/decoding.js';
import { readVectors } from '../../support/vectors.js';

const binder = `20${'b1'.repeat(32)}`;
const identity = '0002 aabb 00000007';

describe('OfferedPsks', () => {
  it('R8446-4.2.11-4 holds identities and binders', () => {
    expect(offeredPsks.decode(hex(`0008 ${identity} 0021 ${binder}`))).toEqual({
      identities: [{ identity: hex('aabb'), obfuscatedTicketAge: 7 }],
      binders: [hex('b1'.repeat(32))],
    });
  });

  it('holds binders of lengths that no hash has: what they are worth is for their PSK to say', () => {
    expect(offeredPsks.decode(hex(`0008 ${identity} 0003 00 01 b1`)).binders).toEqual([hex(''), hex('b1')]);
    expect(offeredPsks.decode(hex(`0008 ${identity} 0020 1f ${'b1'.repeat(31)}`)).binders).toEqual([
      hex('b1'.repeat(31)),
    ]);
  });

  it.each([
    ['no identity', `0000 0021 ${binder}`, 'length_out_of_range identities @0'],
    ['an empty identity', `0007 0000 00000007 00 0021 ${binder}`, 'length_out_of_range identities[0].identity @2'],
    ['no binder', `0008 ${identity} 0000`, 'length_out_of_range binders @10'],
    ['half a second binder', `0008 ${identity} 0021 1f ${'b1'.repeat(32)}`, 'truncated binders[1] @45'],
    ['a binder that its list cuts off', `0008 ${identity} 0021 21 ${'b1'.repeat(33)}`, 'truncated binders[0] @13'],
    ['something after the binders', `0008 ${identity} 0021 ${binder} 00`, 'trailing_bytes  @45'],
  ])('R8446-4.2.11-4 is refused with %s', (_, text, expected) => {
    expect(refusal(offeredPsks, text)).toBe(expected);
  });
});

describe('binders', () => {
  const resumed = rfc8448Messages().find(({ origin, bytes }) => origin.includes('section 4 client') && bytes[0] === 1)!;
  const binders = bindersOf(resumed.bytes);

  it('R8446-4.2.11.2-1 cover the ClientHello up to their list', () => {
    const { sections } = readVectors('rfc8448/rfc8448.json') as {
      sections: { section: number; named: { binder?: { clientHelloPrefix: string } } }[];
    };
    const prefix = sections.find(({ section }) => section === 4)?.named.binder?.clientHelloPrefix ?? '';
    expect(truncateClientHello(resumed.bytes, binders)).toEqual(hex(prefix));
  });

  it('are written into a message that has room for them', () => {
    const zeros = resumed.bytes.slice();
    zeros.fill(0, -32);
    expect(bindersOf(zeros)).toEqual([new Uint8Array(32)]);
    writeBinders(zeros, binders);
    expect(zeros).toEqual(resumed.bytes);
  });

  it('are where they were, in every captured offer', () => {
    const offers = plaintextMessages()
      .map(({ bytes }) => bytes)
      .filter((bytes) => bytes[0] === 1 && bindersOf(bytes).length > 0);
    for (const bytes of offers) {
      const written = bytes.slice();
      const offered = bindersOf(bytes);
      written.fill(0xff, truncateClientHello(bytes, offered).length + 2);
      writeBinders(written, offered);
      expect(written).toEqual(bytes);
    }
    expect(offers).toHaveLength(38);
  });

  it('are not written where they do not fit', () => {
    const message = resumed.bytes.slice();
    expect(misuse(() => writeBinders(message, [new Uint8Array(48)]))).toBe('value_not_encodable');
    expect(misuse(() => writeBinders(message.subarray(0, 20), binders))).toBe('value_not_encodable');
    expect(message).toEqual(resumed.bytes);
  });
});

function bindersOf(message: Uint8Array): readonly Uint8Array[] {
  const hello = decodeHandshake('TLSv1.3', message);
  if (hello.type !== 'client_hello') return [];
  return findExtension(hello.body.extensions, 'pre_shared_key')?.binders ?? [];
}
