/**
 * The two waits of a handshake: `receive` (a message of the peer) and `ask` (an answer from outside).
 *
 * `Needs` is the closed list of all doors to the outside; a driver walks a handshake and answers them. Only here does a
 * bare `yield` stand, and only here are types asserted: TypeScript cannot relate the value that a driver sends back to
 * the wait that asked for it, so the two functions do.
 */
import type {
  CryptoBackend,
  KeyExchangeGroup,
  KeyShare,
  KeyShareAnswer,
  MaybePromise,
  PublicKey,
  SignatureAlgorithm,
  Signer,
} from '../crypto/backend.js';
import { AlertError } from '../errors.js';
import type { ReplayAnswer, ReplayGuard } from '../early-data/replay-guard.js';
import {
  decodeHandshake,
  pskHandshakeMessages,
  type HandshakeMessage,
  type PskHandshakeMessage,
} from '../messages/handshake.js';
import { handshakeTypes } from '../parameters.js';
import type { RawHandshake } from '../record/handshake-joiner.js';
import type { SessionStore } from '../sessions/store.js';
import type { OpenedTicket, TicketSealer } from '../tickets/sealer.js';
import type {
  CertificateQuestion,
  CertificateRequestInfo,
  CertificateVerdict,
  CertificateVerifier,
  ClientHelloInfo,
  Credentials,
  CredentialsChooser,
  ExternalPsk,
  ExternalPskLookup,
  ServerSettings,
  Tls12Psk,
  Tls12PskLookup,
  Tls12PskSelector,
} from './settings.js';

/** A store or sealer that failed is told apart from one that has nothing: the reason reaches the operator. */
export type StoreAnswer = { readonly state: Uint8Array | undefined } | { readonly failed: true };
export type TicketAnswer = OpenedTicket | { readonly failed: true };

/** Each question carries who can answer it. */
export interface Needs {
  /** Answer `undefined`: there is nobody of that name here. */
  choose_settings: {
    question: { readonly settings: ServerSettings; readonly hello: ClientHelloInfo };
    answer: ServerSettings | undefined;
  };
  /** RFC 6066 8: for a client that asks. Answer `undefined`: there is none at the moment. */
  find_ocsp_response: { question: { readonly credentials: Credentials }; answer: Uint8Array | undefined };
  /** Answer `undefined`: the client has no certificate for this server. */
  choose_credentials: {
    question: { readonly choose: CredentialsChooser; readonly request: CertificateRequestInfo };
    answer: readonly Credentials[] | undefined;
  };
  find_session: { question: { readonly store: SessionStore; readonly key: Uint8Array }; answer: StoreAnswer };
  /** As `find_session`, and the session is forgotten in the same step. */
  take_session: { question: { readonly store: SessionStore; readonly key: Uint8Array }; answer: StoreAnswer };
  /** Answer: whether it is stored. `expiresAt` in milliseconds. */
  store_session: {
    question: {
      readonly store: SessionStore;
      readonly key: Uint8Array;
      readonly state: Uint8Array;
      readonly expiresAt: number;
    };
    answer: boolean;
  };
  open_ticket: { question: { readonly sealer: TicketSealer; readonly ticket: Uint8Array }; answer: TicketAnswer };
  /** Answer `undefined`: no ticket can be had now. */
  seal_ticket: {
    question: { readonly sealer: TicketSealer; readonly state: Uint8Array };
    answer: Uint8Array | undefined;
  };
  find_external_psk: {
    question: { readonly lookup: ExternalPskLookup; readonly identity: Uint8Array };
    answer: ExternalPsk | undefined;
  };
  /** Client, TLS 1.2. Answer `undefined`: no PSK is for such a server. */
  select_tls12_psk: {
    question: { readonly select: Tls12PskSelector; readonly identityHint: Uint8Array };
    answer: Tls12Psk | undefined;
  };
  /** Server, TLS 1.2. Answer `undefined`: nobody of that identity is known. */
  find_tls12_psk: {
    question: { readonly lookup: Tls12PskLookup; readonly identity: Uint8Array };
    answer: Uint8Array | undefined;
  };
  /** RFC 8446 8.2. `expiresAt` in milliseconds. */
  check_replay: {
    question: { readonly guard: ReplayGuard; readonly key: Uint8Array; readonly expiresAt: number };
    answer: ReplayAnswer;
  };
  /** The session is not to be resumed any more. */
  forget_session: { question: { readonly store: SessionStore; readonly key: Uint8Array }; answer: undefined };
  generate_key_share: {
    question: { readonly crypto: CryptoBackend; readonly group: KeyExchangeGroup };
    answer: KeyShare;
  };
  /** Answer `undefined`: the peer's share is useless. */
  answer_key_share: {
    question: { readonly crypto: CryptoBackend; readonly group: KeyExchangeGroup; readonly peer: Uint8Array };
    answer: KeyShareAnswer | undefined;
  };
  agree: { question: { readonly keyShare: KeyShare; readonly peer: Uint8Array }; answer: Uint8Array | undefined };
  sign: {
    question: { readonly signer: Signer; readonly algorithm: SignatureAlgorithm; readonly data: Uint8Array };
    answer: Uint8Array;
  };
  verify_signature: {
    question: {
      readonly crypto: CryptoBackend;
      readonly algorithm: SignatureAlgorithm;
      readonly publicKey: PublicKey;
      readonly data: Uint8Array;
      readonly signature: Uint8Array;
    };
    answer: boolean;
  };
  verify_certificate: {
    question: { readonly verifier: CertificateVerifier; readonly peer: CertificateQuestion };
    answer: CertificateVerdict;
  };
}

export type Need = keyof Needs;

/** The outside: one function for each need. */
export type Answers = { readonly [K in Need]: (question: Needs[K]['question']) => MaybePromise<Needs[K]['answer']> };

/** ChangeCipherSpec is no handshake message, but a TLS 1.2 flow waits for it like for one. */
export interface ChangeCipherSpec {
  readonly type: 'change_cipher_spec';
}
export const changeCipherSpec: ChangeCipherSpec = { type: 'change_cipher_spec' };

/** What a driver hands to a flow that waits to receive. */
export type Incoming = RawHandshake | ChangeCipherSpec;

export type Wait =
  | { readonly wait: 'receive' }
  | {
      readonly wait: 'ask';
      readonly need: Need;
      /** Puts the question. */ readonly put: (answers: Answers) => MaybePromise<unknown>;
      /** Gets an answer that comes when nobody waits any more; without it, that is dropped. */
      readonly late: ((answer: unknown, answers: Answers) => void) | undefined;
    };

/** A handshake, or a part of one, that ends with a `Result`. */
export type Handshake<Result> = Generator<Wait, Result, unknown>;

/** Types that a flow can wait for. */
export type Receivable = HandshakeMessage<'TLSv1.2'>['type'] | 'change_cipher_spec';

/** A message as it was received: decoded, and the bytes for the transcript. */
export type Received<Type extends Receivable> = Type extends 'change_cipher_spec'
  ? ChangeCipherSpec
  : Extract<HandshakeMessage<'TLSv1.2'>, { type: Type }> & { readonly bytes: Uint8Array };

const receiveWait: Wait = { wait: 'receive' };

/** Waits for the peer's next message, which must be of one of these types. */
export function* receive<Type extends Receivable>(...types: readonly Type[]): Handshake<Received<Type>> {
  const incoming = (yield receiveWait) as Incoming;
  if (!types.some((type) => isOfType(incoming, type)))
    throw new AlertError('unexpected_message', `got ${nameOf(incoming)}, expected ${types.join(' or ')}`);
  if (!('bytes' in incoming)) return incoming as Received<Type>;
  const { type, body } = decodeHandshake('TLSv1.2', incoming.bytes);
  return { type, body, bytes: incoming.bytes } as Received<Type>;
}

/** As {@link receive}, with the messages that the ECDHE_PSK suites have in a form of their own. */
export function* receivePsk<Type extends PskHandshakeMessage['type']>(type: Type): Handshake<ReceivedPsk<Type>> {
  const incoming = (yield receiveWait) as Incoming;
  if (!('bytes' in incoming) || handshakeTypes[type] !== incoming.type)
    throw new AlertError('unexpected_message', `got ${nameOf(incoming)}, expected ${type}`);
  const { body } = pskHandshakeMessages.decode(incoming.bytes);
  return { type, body, bytes: incoming.bytes } as ReceivedPsk<Type>;
}

export type ReceivedPsk<Type extends PskHandshakeMessage['type']> = Extract<PskHandshakeMessage, { type: Type }> & {
  readonly bytes: Uint8Array;
};

/** Types of TLS 1.3 that a flow can wait for. */
export type ReceivableTls13 = HandshakeMessage<'TLSv1.3'>['type'];

export type ReceivedTls13<Type extends ReceivableTls13> = Extract<HandshakeMessage<'TLSv1.3'>, { type: Type }> & {
  readonly bytes: Uint8Array;
};

/** As {@link receive}, with the messages of TLS 1.3. A ServerHello and a HelloRetryRequest are told apart by their contents. */
export function* receiveTls13<Type extends ReceivableTls13>(...types: readonly Type[]): Handshake<ReceivedTls13<Type>> {
  const incoming = (yield receiveWait) as Incoming;
  const refused = () => new AlertError('unexpected_message', `got ${nameOf(incoming)}, expected ${types.join(' or ')}`);
  if (!('bytes' in incoming) || !types.some((type) => wireType(type) === incoming.type)) throw refused();
  const { type, body } = decodeHandshake('TLSv1.3', incoming.bytes);
  if (!types.some((candidate) => candidate === type)) throw refused();
  return { type, body, bytes: incoming.bytes } as ReceivedTls13<Type>;
}

function wireType(type: ReceivableTls13): number {
  return handshakeTypes[type === 'hello_retry_request' ? 'server_hello' : type];
}

function isOfType(incoming: Incoming, type: Receivable): boolean {
  if (!('bytes' in incoming)) return incoming.type === type;
  return type !== 'change_cipher_spec' && handshakeTypes[type] === incoming.type;
}

function nameOf(incoming: Incoming): string {
  const known = Object.entries(handshakeTypes).find(([, number]) => number === incoming.type);
  return known?.[0] ?? String(incoming.type);
}

/** Asks the outside and waits for its answer. `late` is told an answer that comes after the end of the connection. */
export function* ask<K extends Need>(
  need: K,
  question: Needs[K]['question'],
  late?: (answer: Needs[K]['answer'], answers: Answers) => void,
): Handshake<Needs[K]['answer']> {
  return (yield {
    wait: 'ask',
    need,
    put: (answers) => answers[need](question),
    late: late as ((answer: unknown, answers: Answers) => void) | undefined,
  }) as Needs[K]['answer'];
}
