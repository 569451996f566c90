/**
 * A short way to break one rule of TLS 1.3: an end whose flow is ours, so that its keys and its transcript are right, and whose
 * messages are edited on their way out. What the other end makes of it is a word.
 */
import { fromAscii } from '../../src/bytes.js';
import { Connection, type ConnectionOptions } from '../../src/connection/connection.js';
import { clientConnection, serverConnection } from '../../src/connection/connection.js';
import { AlertError } from '../../src/errors.js';
import { clientHandshake } from '../../src/handshake/client.js';
import type { HandshakeBase, HandshakeTransport } from '../../src/handshake/handshake-base.js';
import { HandshakeState } from '../../src/handshake/handshake-state.js';
import { serverHandshake } from '../../src/handshake/server.js';
import type { ClientSettings, ServerSettings } from '../../src/handshake/settings.js';
import { tls13Suites } from '../../src/key-schedule/suites.js';
import { decodeHandshake, encodeHandshake } from '../../src/messages/handshake.js';
import type { ClientHello, ExtensionType } from '../../src/messages/index.js';
import type { RecordLayer } from '../../src/record/record-layer.js';
import type { Tls13Session } from '../../src/sessions/session.js';
import type { PskKey, Tls13Message } from './attack-rig-tls13.js';
import { drain, eventsOf, makeEnd, pump, type End, type Pair } from './connections.js';
import type { Side } from './traffic.js';

type MessageType = Tls13Message['type'];
type MessageOf<T extends MessageType> = Extract<Tls13Message, { readonly type: T }>;
type AnyHandshake = HandshakeBase<ClientSettings | ServerSettings>;

/** What goes out, and into the transcript, in place of a message of the handshake; bytes stand for themselves. */
export type Says = (message: Tls13Message, hs: AnyHandshake) => Spoken;
type Spoken = readonly (Tls13Message | Uint8Array)[];

/** An end that edits what it says. */
export interface EditingEnd extends End {
  /** For messages at any time, under the keys of that time. */
  readonly hs: AnyHandshake;
  readonly transport: HandshakeTransport & Pick<RecordLayer, 'write'>;
}

export function editingClient(settings: ClientSettings, says?: Says): EditingEnd {
  return editing('client', (transport) => {
    const state = new EditingState('client', settings, transport, says);
    return { state, flow: clientHandshake(state) };
  });
}

export function editingServer(settings: ServerSettings, says?: Says): EditingEnd {
  return editing('server', (transport) => {
    const state = new EditingState('server', settings, transport, says);
    return { state, flow: serverHandshake(state) };
  });
}

type Begin = ConstructorParameters<typeof Connection>[1];

function editing(role: Side, begin: Begin): EditingEnd {
  let made: Pick<EditingEnd, 'hs' | 'transport'> | undefined;
  const end = makeEnd(
    (own) =>
      new Connection(
        role,
        (transport) => {
          const begun = begin(transport);
          made = { hs: begun.state, transport: transport as EditingEnd['transport'] };
          return begun;
        },
        own,
      ),
    'sync',
  );
  if (made === undefined) throw new Error('a connection begins at once');
  return Object.assign(end, made);
}

class EditingState<Settings extends ClientSettings | ServerSettings> extends HandshakeState<Settings> {
  readonly #says: Says | undefined;

  constructor(role: 'client' | 'server', settings: Settings, transport: HandshakeTransport, says: Says | undefined) {
    super(role, settings, transport);
    this.#says = says;
  }

  override sendBytes(bytes: Uint8Array): Uint8Array {
    const messages = this.#says?.(decodeHandshake('TLSv1.3', bytes), this) ?? [bytes];
    for (const message of messages)
      super.sendBytes(message instanceof Uint8Array ? message : encodeHandshake('TLSv1.3', message));
    return bytes;
  }
}

/** An honest client, and a server that edits what it says; nothing has travelled yet. */
export function clientPair(
  client: ClientSettings,
  server: ServerSettings,
  says?: Says,
  options?: ConnectionOptions,
): Pair & { server: EditingEnd } {
  const honest = makeEnd((own) => clientConnection(client, own), 'sync', options);
  return { client: honest, server: editingServer(server, says), segments: [] };
}

/** A client that edits what it says, and an honest server. */
export function serverPair(
  client: ClientSettings,
  server: ServerSettings,
  says?: Says,
  options?: ConnectionOptions,
): Pair & { client: EditingEnd } {
  const honest = makeEnd((own) => serverConnection(server, own), 'sync', options);
  return { client: editingClient(client, says), server: honest, segments: [] };
}

/** What an honest client makes of a server that edits what it says, see {@link outcome}. */
export function clientMeets(client: ClientSettings, server: ServerSettings, says?: Says): string {
  return outcome(pump(clientPair(client, server, says)));
}

/** What an honest server makes of a client that edits what it says. */
export function serverMeets(client: ClientSettings, server: ServerSettings, says?: Says): string {
  return outcome(pump(serverPair(client, server, says)), 'server');
}

/**
 * `psk_dhe_ke`, `full: expired`, or who refused with which alert: `client: illegal_parameter`. Where both did, it is `asked` who
 * counts: what goes wrong at one end may go wrong at the other as well.
 */
export function outcome({ client, server }: Pair, asked: Side = 'client'): string {
  const ofClient = refusalBy(client);
  const ofServer = refusalBy(server);
  if (ofClient !== undefined && (asked === 'client' || ofServer === undefined)) return `client: ${ofClient}`;
  if (ofServer !== undefined) return `server: ${ofServer}`;
  const [handshake] = eventsOf(server, 'handshake');
  if (handshake === undefined) return 'nothing';
  return handshake.reason === undefined ? handshake.mode : `${handshake.mode}: ${handshake.reason}`;
}

function refusalBy(end: End): string | undefined {
  const [close] = eventsOf(end, 'close');
  return close?.error instanceof AlertError ? close.error.alert : undefined;
}

/** Another message in place of those of one type, several, or none. Bytes stand for themselves. */
export function saying<T extends MessageType>(
  type: T,
  replace: (body: MessageOf<T>['body'], hs: AnyHandshake) => MessageOf<T>['body'] | Spoken,
): Says {
  return (message, hs) => {
    if (!isOfType(message, type)) return [message];
    const replaced = replace(message.body as MessageOf<T>['body'], hs);
    return isSpoken(replaced) ? replaced : [{ type, body: replaced } as Tls13Message];
  };
}

function isOfType<T extends MessageType>(message: Tls13Message, type: T): message is MessageOf<T> {
  return message.type === type;
}

function isSpoken(replaced: unknown): replaced is Spoken {
  return Array.isArray(replaced);
}

/** As {@link saying}, for the ClientHello after a HelloRetryRequest. */
export function secondClientHello(change: (body: ClientHello, hs: AnyHandshake) => ClientHello | Spoken): Says {
  const edit = saying('client_hello', change);
  let hellos = 0;
  return (message, hs) => (message.type === 'client_hello' && ++hellos === 2 ? edit(message, hs) : [message]);
}

interface WithExtensions {
  readonly extensions?: readonly { readonly type: ExtensionType; readonly data: unknown }[] | undefined;
}

/** A body with these extensions in place of those of the same types, at the end. */
export function withExtensions<B extends WithExtensions>(
  ...extensions: readonly { readonly type: ExtensionType; readonly data: unknown }[]
): (body: B) => B {
  const types = new Set(extensions.map(({ type }) => type));
  return (body) => ({
    ...body,
    extensions: [...(body.extensions ?? []).filter(({ type }) => !types.has(type)), ...extensions],
  });
}

/** A body without the extensions of these types. */
export function withoutExtensions<B extends WithExtensions>(...types: readonly ExtensionType[]): (body: B) => B {
  return (body) => ({ ...body, extensions: body.extensions?.filter(({ type }) => !types.includes(type)) });
}

export function typesOf(body: WithExtensions): ExtensionType[] {
  return (body.extensions ?? []).map(({ type }) => type);
}

/** Every message of one type that an end has said, from its edited or unedited flow. */
export function listening<T extends MessageType>(
  type: T,
): { readonly heard: MessageOf<T>['body'][]; readonly says: Says } {
  const heard: MessageOf<T>['body'][] = [];
  return {
    heard,
    says: (message) => {
      if (isOfType(message, type)) heard.push(message.body as MessageOf<T>['body']);
      return [message];
    },
  };
}

/** The ClientHello that a client begins with. */
export function helloOf(settings: ClientSettings): ClientHello {
  const { heard, says } = listening('client_hello');
  editingClient(settings, says);
  const [hello] = heard;
  if (hello === undefined) throw new Error('a client speaks first');
  return hello;
}

/** Lets one end take bytes, and what it says to them. */
export function feed(end: End, bytes: Uint8Array): Uint8Array {
  end.connection.receive(bytes);
  return drain(end);
}

/** The application data that one end got, and whether it was early. */
export function dataOf(end: End): [text: string, early: boolean][] {
  return eventsOf(end, 'data').map(({ data, early }) => [fromAscii(data), early]);
}

/** What makes the binder of a ticket. */
export function binderKeyOf({ cipherSuite, psk }: Tls13Session): PskKey {
  return { hash: tls13Suites[cipherSuite].hash, psk };
}
