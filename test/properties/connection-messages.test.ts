/**
 * Well-formed messages with any contents, at the place where their type is awaited: whatever a peer says, the fault is never
 * ours. What decodes is accepted or refused with an alert that blames the peer, never with internal_error.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertError } from '../../src/errors.js';
import { handshakeCodecs, handshakeMessages, pskHandshakeMessages } from '../../src/messages/handshake.js';
import type { Codec } from '../../src/presentation/codec.js';
import { contentTypes } from '../../src/parameters.js';
import { arbitraryOf } from '../support/arbitrary.js';
import { eventsOf } from '../support/connections.js';
import { flows, itemName, itemsFrom, otherSide, Replay, sides, type Flow } from '../support/replay.js';
import type { Item, Side, Tls12Message } from '../support/traffic.js';
import { recordings } from './connection-streams.js';

interface Wait {
  readonly flow: Flow;
  readonly target: Side;
  readonly at: number;
  readonly type: Tls12Message['type'];
  readonly incoming: readonly Item[];
}

const waits: readonly Wait[] = Object.values(flows).flatMap((flow) =>
  sides.flatMap((target) => {
    const incoming = itemsFrom(recordings.get(flow)!, otherSide(target));
    return incoming.flatMap((item, at) =>
      item.contentType === contentTypes.handshake
        ? [{ flow, target, at, type: itemName(item) as Tls12Message['type'], incoming }]
        : [],
    );
  }),
);

type Body = Readonly<Record<string, unknown>>;
interface ExtensionLike {
  readonly type: unknown;
}

/** The codecs of a wait: what PSKs change in messages shows in the flow alone. */
function codecsOf({ flow, type }: Wait): { readonly body: Codec<Body>; readonly message: Codec<MessageLike> } {
  const underPsk = flow === flows.psk && type.endsWith('_key_exchange');
  const bodies: object = underPsk ? handshakeCodecs.tls12Psk : handshakeCodecs.tls12;
  return {
    body: Reflect.get(bodies, type) as never,
    message: underPsk ? pskHandshakeMessages : handshakeMessages['TLSv1.2'],
  };
}

interface MessageLike {
  readonly type: string;
  readonly body: Body;
}

/** The recorded body with some of the fields of an arbitrary one; extensions are added to those that were there. */
function mixed(recorded: Body, arbitrary: Body, choices: readonly boolean[]): Body {
  return Object.fromEntries(
    Object.entries(recorded).map(([name, value], i) => {
      if (choices[i] !== true) return [name, value];
      if (name !== 'extensions' || !isExtensions(value) || !isExtensions(arbitrary[name]))
        return [name, arbitrary[name]];
      const added = arbitrary[name];
      return [name, [...value.filter(({ type }) => !added.some((other) => other.type === type)), ...added]];
    }),
  );
}

const isExtensions = (value: unknown): value is readonly ExtensionLike[] => Array.isArray(value);

const anyChange = fc.constantFrom(...waits).chain((wait) =>
  fc.record({
    wait: fc.constant(wait),
    arbitrary: arbitraryOf<Body>(codecsOf(wait).body),
    choices: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  }),
);

describe('whatever a peer says', () => {
  it('it is never an internal error', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyChange, ({ wait, arbitrary, choices }) => {
        const { flow, target, at, type, incoming } = wait;
        const { message } = codecsOf(wait);
        const body = mixed(message.decode(incoming[at]!.bytes).body, arbitrary, choices);
        const bytes = message.encode({ type, body });
        const replay = new Replay(flow, target)
          .send(...incoming.slice(0, at), { contentType: contentTypes.handshake, bytes })
          .send(...incoming.slice(at + 1));
        const closes = eventsOf(replay.end, 'close');
        expect(closes.length).toBeLessThanOrEqual(1);
        for (const { reason, error } of closes) {
          expect(reason).toBe('error');
          expect(error instanceof AlertError && error.alert).not.toBe('internal_error');
          expect(error).toBeInstanceOf(AlertError);
          if (error instanceof AlertError) seen.add(error.alert);
        }
      }),
      { numRuns: 1500 },
    );
    // The generator reaches past the decoders.
    for (const alert of ['decrypt_error', 'handshake_failure', 'illegal_parameter', 'unsupported_extension'])
      expect(seen).toContain(alert);
  });
});
