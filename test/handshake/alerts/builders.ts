/**
 * Every way in which a peer, or a configuration, makes a connection of ours end with an alert: a recorded flow, what is
 * different in it, and the error that has to come.
 */
import type { AlertDescription } from '../../../src/alert.js';
import { ascii, concat, fromHex } from '../../../src/bytes.js';
import type { CryptoBackend } from '../../../src/crypto/backend.js';
import type { ClientOptions, ServerOptions } from '../../../src/connection/options.js';
import type { ConnectionLimits } from '../../../src/connection/limits.js';
import type { AlertErrorCode } from '../../../src/errors.js';
import { encodeHandshake } from '../../../src/messages/handshake.js';
import { serverEcdhParams, type ServerEcdhParams } from '../../../src/messages/key-exchange.js';
import { contentTypes } from '../../../src/parameters.js';
import type { Changes } from '../../support/connections.js';
import { ecdsaP256 } from '../../support/credentials.js';
import {
  flows,
  itemName,
  itemsFrom,
  otherSide,
  record,
  Replay,
  type Flow,
  type Recording,
} from '../../support/replay.js';
import { seededCrypto } from '../../support/seeded.js';
import { theMessage, type Item, type Side, type Tls12Message } from '../../support/traffic.js';

export interface AlertCase {
  /** Ids of requirements, and what the peer does. */
  readonly name: string;
  readonly target: Side;
  /** Speaks to the target until it has ended the connection. */
  readonly run: () => Replay;
  readonly alert: AlertDescription;
  /** Where it is not the name of the alert. */
  readonly code?: AlertErrorCode;
  /** Of a `DecodeError`. */
  readonly path?: string;
}

type MessageType = Tls12Message['type'];
type BodyOf<T extends MessageType> = Extract<Tls12Message, { type: T }>['body'];
type Payload = Pick<Item, 'contentType' | 'bytes'>;
type Expected = AlertDescription | Pick<AlertCase, 'alert' | 'code' | 'path'>;

interface Options {
  readonly clientChanges?: Changes<ClientOptions>;
  readonly serverChanges?: Changes<ServerOptions>;
  readonly limits?: Partial<ConnectionLimits>;
}

const recordings = new Map<Flow, Recording>();
export const recordingOf = (flow: Flow): Recording => {
  const recording = recordings.get(flow) ?? record(flow);
  recordings.set(flow, recording);
  return recording;
};

export const asCase = (name: string, target: Side, expected: Expected, run: () => Replay): AlertCase => ({
  name,
  target,
  run,
  ...(typeof expected === 'string' ? { alert: expected } : expected),
});

/** The peer's message of that type is another; the flow around it is as recorded. */
export function edited<T extends MessageType>(
  name: string,
  target: Side,
  flow: Flow,
  type: T,
  edit: (body: BodyOf<T>, recording: Recording) => BodyOf<T> | Uint8Array,
  expected: Expected,
  options: Options = {},
): AlertCase {
  return asCase(name, target, expected, () => {
    const recording = recordingOf(flow);
    const incoming = itemsFrom(recording, otherSide(target));
    const at = incoming.findIndex((item) => itemName(item) === type);
    const body = edit(theMessage(incoming, type).body as BodyOf<T>, recording);
    const bytes = body instanceof Uint8Array ? body : encode({ type, body } as Tls12Message);
    const other = { contentType: contentTypes.handshake, bytes };
    return new Replay(flow, target, options).send(...incoming.slice(0, at), other, ...incoming.slice(at + 1));
  });
}

export const encode = (message: Tls12Message) => encodeHandshake('TLSv1.2', message);

/** The flow goes as recorded; the target is configured in another way. */
export const configured = (name: string, target: Side, flow: Flow, options: Options, expected: Expected): AlertCase =>
  asCase(name, target, expected, () =>
    new Replay(flow, target, options).send(...itemsFrom(recordingOf(flow), otherSide(target))),
  );

/** Payloads or records at the end of the flow, records at its beginning. */
export const afterwards = (name: string, what: readonly Payload[] | string, expected: Expected): AlertCase =>
  asCase(name, 'server', expected, () => {
    const open = new Replay(flows.full, 'server').send(...itemsFrom(recordingOf(flows.full), 'client'));
    return typeof what === 'string' ? open.sendBytes(fromHex(what)) : open.send(...what);
  });
export const atFirst = (name: string, hex: string, expected: Expected, options: Options = {}): AlertCase =>
  asCase(name, 'server', expected, () => new Replay(flows.full, 'server', options).sendBytes(fromHex(hex)));

type Extensions = NonNullable<BodyOf<'client_hello'>['extensions']>;
type ServerExtensions = NonNullable<BodyOf<'server_hello'>['extensions']>;

export const withoutExtension =
  (type: string) =>
  <B extends { readonly extensions?: readonly { readonly type: string | number }[] | undefined }>(body: B): B => ({
    ...body,
    extensions: body.extensions?.filter((extension) => extension.type !== type),
  });
export const clientExtension = (extension: Extensions[number]) => (body: BodyOf<'client_hello'>) => ({
  ...body,
  extensions: [...(withoutExtension(String(extension.type))(body).extensions ?? []), extension],
});
export const serverExtension = (extension: ServerExtensions[number]) => (body: BodyOf<'server_hello'>) => ({
  ...body,
  extensions: [...(withoutExtension(String(extension.type))(body).extensions ?? []), extension],
});

export const serverHello = (
  name: string,
  edit: (body: BodyOf<'server_hello'>, recording: Recording) => BodyOf<'server_hello'> | Uint8Array,
  expected: Expected,
  flow: Flow = flows.withTicket,
  options: Options = {},
) => edited(name, 'client', flow, 'server_hello', edit, expected, options);

export const clientHello = (
  name: string,
  edit: (body: BodyOf<'client_hello'>, recording: Recording) => BodyOf<'client_hello'> | Uint8Array,
  expected: Expected,
  flow: Flow = flows.withTicket,
  options: Options = {},
) => edited(name, 'server', flow, 'client_hello', edit, expected, options);

/** The server signs other parameters than it should offer. */
export const keyExchange = (
  name: string,
  params: (own: ServerEcdhParams) => ServerEcdhParams,
  expected: Expected,
): AlertCase =>
  edited(
    name,
    'client',
    flows.full,
    'server_key_exchange',
    (body, { items }) => {
      const changed = params(body.params);
      const randoms = [theMessage(items, 'client_hello').body.random, theMessage(items, 'server_hello').body.random];
      const signed = concat(...randoms, serverEcdhParams.encode(changed));
      const signature = ecdsaP256.signer.sign({ kind: 'ecdsa', hash: 'sha256' }, signed);
      if (!(signature instanceof Uint8Array)) throw new Error('the signers of these tests answer at once');
      return { params: changed, algorithm: 'ecdsa_secp256r1_sha256', signature };
    },
    expected,
  );

export const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
export const decodeError = (code: AlertErrorCode, path: string): Expected => ({ alert: 'decode_error', code, path });
export const hostName = (name: string): Extensions[number] => ({
  type: 'server_name',
  data: [{ nameType: 'host_name', name: ascii(name) }],
});

/** The hello as the client would send it, its last extension replaced by raw bytes. */
export const rawExtension =
  (from: 'client_hello' | 'server_hello', hex: string) =>
  (body: BodyOf<'client_hello'> | BodyOf<'server_hello'>): Uint8Array => {
    const plain = { type: from, body: { ...body, extensions: [] } };
    const bytes = encode(plain as Tls12Message).slice(4, -2);
    const extensions = fromHex(hex);
    const length = bytes.length + 2 + extensions.length;
    const type = from === 'client_hello' ? 1 : 2;
    return concat(Uint8Array.of(type, 0, length >> 8, length), bytes, Uint8Array.of(0, extensions.length), extensions);
  };

/** A backend whose MACs are all zeros: a derivation that failed without a word. */
export const zeroMacs = (target: Side, { name }: Flow): CryptoBackend => ({
  ...seededCrypto('node', `${target} ${name}`),
  hmac: () => ({ outputLength: 48, compute: () => new Uint8Array(48), destroy: () => undefined }),
});

export const alertPayload = (hex: string): Payload => ({ contentType: contentTypes.alert, bytes: fromHex(hex) });
export const dataPayload = (hex: string): Payload => ({
  contentType: contentTypes.application_data,
  bytes: fromHex(hex),
});
