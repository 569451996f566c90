/**
 * Connections of ours that pass for another implementation: they say other messages than the flow composed, and the flow hears
 * other messages than were on the wire. Transcripts are of the wire, so both sides agree.
 */
import { Connection } from '../../src/connection/connection.js';
import { clientHandshake } from '../../src/handshake/client.js';
import type { HandshakeTransport } from '../../src/handshake/handshake-base.js';
import { HandshakeState } from '../../src/handshake/handshake-state.js';
import type { Handshake } from '../../src/handshake/needs.js';
import { serverHandshake } from '../../src/handshake/server.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import { decodeHandshake, encodeHandshake } from '../../src/messages/handshake.js';
import type { RawHandshake } from '../../src/record/handshake-joiner.js';
import type { End } from './connections.js';
import type { Tls12Message } from './traffic.js';

export interface Disguise {
  /** In place of what the flow says. */
  readonly says?: (message: Tls12Message) => Tls12Message;
  /** In place of what the peer said. */
  readonly hears?: (message: Tls12Message) => Tls12Message;
}

/** An end that can say more, at any time and under the keys of that time. */
export interface DisguisedEnd extends End {
  readonly transport: HandshakeTransport;
}

export function disguisedClient(settings: ClientSettings, disguise: Disguise): DisguisedEnd {
  return endOf('client', (transport) => {
    const state = new DisguisedState('client', settings, transport, disguise);
    return { state, flow: state.deceive(clientHandshake(state)) };
  });
}

export function disguisedServer(settings: ServerSettings, disguise: Disguise): DisguisedEnd {
  return endOf('server', (transport) => {
    const state = new DisguisedState('server', settings, transport, disguise);
    return { state, flow: state.deceive(serverHandshake(state)) };
  });
}

/** Changes the messages of one type and leaves the others. */
export function changing<T extends Tls12Message['type']>(
  type: T,
  change: (body: Extract<Tls12Message, { type: T }>['body']) => Extract<Tls12Message, { type: T }>['body'],
): (message: Tls12Message) => Tls12Message {
  return (message) =>
    message.type === type ? ({ type, body: change(message.body as never) } as Tls12Message) : message;
}

/** A hello without the extensions of these types. */
export function withoutExtensions<
  B extends { readonly extensions?: readonly { readonly type: string | number }[] | undefined },
>(...types: readonly string[]): (body: B) => B {
  return (body) => ({ ...body, extensions: body.extensions?.filter(({ type }) => !types.includes(String(type))) });
}

function endOf(role: 'client' | 'server', begin: ConstructorParameters<typeof Connection>[1]): DisguisedEnd {
  let given: HandshakeTransport | undefined;
  const connection = new Connection(role, (transport) => begin((given = transport)), { driver: 'sync' });
  if (given === undefined) throw new Error('a connection begins at once');
  return { connection, transport: given, events: [], wakes: 0 };
}

class DisguisedState<Settings extends ClientSettings | ServerSettings> extends HandshakeState<Settings> {
  readonly #disguise: Disguise;
  /** What was on the wire, by what the flow heard. */
  readonly #wire = new Map<Uint8Array, Uint8Array>();

  constructor(role: 'client' | 'server', settings: Settings, transport: HandshakeTransport, disguise: Disguise) {
    super(role, settings, transport);
    this.#disguise = disguise;
    const { transcript } = this;
    const add = transcript.add.bind(transcript);
    transcript.add = (bytes) => add(this.#wire.get(bytes) ?? bytes);
  }

  override sendBytes(bytes: Uint8Array): Uint8Array {
    const { says } = this.#disguise;
    if (says === undefined) return super.sendBytes(bytes);
    return super.sendBytes(encodeHandshake('TLSv1.2', says(decodeHandshake('TLSv1.2', bytes))));
  }

  *deceive<Result>(flow: Handshake<Result>): Handshake<Result> {
    let received: unknown;
    for (;;) {
      const step = flow.next(received);
      if (step.done === true) return step.value;
      received = yield step.value;
      if (step.value.wait === 'receive' && isHandshake(received)) received = this.#hear(received);
    }
  }

  #hear(incoming: RawHandshake): RawHandshake {
    const { hears } = this.#disguise;
    if (hears === undefined) return incoming;
    const told = encodeHandshake('TLSv1.2', hears(decodeHandshake('TLSv1.2', incoming.bytes)));
    this.#wire.set(told, incoming.bytes);
    return { ...incoming, bytes: told };
  }
}

function isHandshake(incoming: unknown): incoming is RawHandshake {
  return typeof incoming === 'object' && incoming !== null && 'bytes' in incoming;
}
