/**
 * Handshake messages with their header (RFC 8446 4, RFC 5246 7.4): one byte of type, three of length.
 *
 * The body of a type differs between the versions. ServerHello reads the same in both, so the first message of a server
 * can be decoded before the version is known; as a HelloRetryRequest only under TLS 1.3.
 */
import { AlertError } from '../errors.js';
import { handshakeTypes } from '../parameters.js';
import { type Codec, defineCodec, type Infer, within } from '../presentation/codec.js';
import { notEncodable } from '../presentation/writer.js';
import { certificateRequest, certificateRequestTls12 } from './certificate-request.js';
import { certificateVerify } from './certificate-verify.js';
import { certificate, certificateTls12 } from './certificate.js';
import { clientHello } from './client-hello.js';
import { compressedCertificate } from './compressed-certificate.js';
import { endOfEarlyData, helloRequest, serverHelloDone } from './empty-messages.js';
import { encryptedExtensions } from './encrypted-extensions.js';
import { certificateStatus } from './extensions/status-request.js';
import { finished } from './finished.js';
import { clientKeyExchange, pskClientKeyExchange, pskServerKeyExchange, serverKeyExchange } from './key-exchange.js';
import { keyUpdate } from './key-update.js';
import { messageHash } from './message-hash.js';
import { newSessionTicket, newSessionTicketTls12 } from './new-session-ticket.js';
import { helloRetryRequest, isHelloRetryRequest, serverHello } from './server-hello.js';

/** The body of each message by its type. */
export const handshakeCodecs = {
  tls12: {
    hello_request: helloRequest,
    client_hello: clientHello,
    server_hello: serverHello,
    new_session_ticket: newSessionTicketTls12,
    certificate: certificateTls12,
    server_key_exchange: serverKeyExchange,
    certificate_request: certificateRequestTls12,
    server_hello_done: serverHelloDone,
    certificate_verify: certificateVerify,
    client_key_exchange: clientKeyExchange,
    finished,
    certificate_status: certificateStatus,
  },
  /** Those that differ under the ECDHE_PSK suites of TLS 1.2. */
  tls12Psk: {
    server_key_exchange: pskServerKeyExchange,
    client_key_exchange: pskClientKeyExchange,
  },
  tls13: {
    client_hello: clientHello,
    server_hello: serverHello,
    hello_retry_request: helloRetryRequest,
    new_session_ticket: newSessionTicket,
    end_of_early_data: endOfEarlyData,
    encrypted_extensions: encryptedExtensions,
    certificate,
    certificate_request: certificateRequest,
    certificate_verify: certificateVerify,
    finished,
    key_update: keyUpdate,
    compressed_certificate: compressedCertificate,
    message_hash: messageHash,
  },
} as const;

/** The versions whose messages differ. */
export type HandshakeVersion = 'TLSv1.2' | 'TLSv1.3';

type CodecsOf<V extends HandshakeVersion> = (typeof handshakeCodecs)[V extends 'TLSv1.3' ? 'tls13' : 'tls12'];

/** A message of a version: `type` tells what `body` is. */
export type HandshakeMessage<V extends HandshakeVersion = HandshakeVersion> = V extends HandshakeVersion
  ? MessageOf<CodecsOf<V>>
  : never;

type MessageOf<C> = {
  readonly [T in keyof C & string]: { readonly type: T; readonly body: Infer<C[T]> };
}[keyof C & string];

/** The names of messages; a HelloRetryRequest has one of its own. */
export type HandshakeType = HandshakeMessage['type'];

const wireTypes = { ...handshakeTypes, hello_retry_request: handshakeTypes.server_hello };

/** Whole messages, header included. A type that the version does not have is an `unexpected_message`. */
export const handshakeMessages: { readonly [V in HandshakeVersion]: Codec<HandshakeMessage<V>> } = {
  'TLSv1.2': messageCodec(handshakeCodecs.tls12),
  'TLSv1.3': messageCodec(handshakeCodecs.tls13),
};

/** The two messages of TLS 1.2 that the ECDHE_PSK suites have in a form of their own (RFC 5489 2), header included. */
export const pskHandshakeMessages: Codec<PskHandshakeMessage> = messageCodec(handshakeCodecs.tls12Psk);
export type PskHandshakeMessage = MessageOf<(typeof handshakeCodecs)['tls12Psk']>;

/**
 * The message that takes up all of `bytes`, header included, and then owns them. Throws `DecodeError` with a path that
 * starts at the type, and `AlertError` (`unexpected_message`) for a type that the version does not have.
 */
export function decodeHandshake<V extends HandshakeVersion>(version: V, bytes: Uint8Array): HandshakeMessage<V> {
  return handshakeMessages[version].decode(bytes);
}

/** The message with its header, in an array of its own. Throws `UsageError` (`value_not_encodable`). */
export function encodeHandshake<V extends HandshakeVersion>(version: V, message: HandshakeMessage<V>): Uint8Array {
  return handshakeMessages[version].encode(message);
}

interface Body {
  readonly type: string;
  readonly number: number;
  readonly codec: Codec<unknown>;
}

function messageCodec<C extends Readonly<Record<string, Codec<unknown>>>>(codecs: C): Codec<MessageOf<C>> {
  const bodies = Object.entries(wireTypes).flatMap(([type, number]): Body[] => {
    const codec = codecs[type];
    return codec === undefined ? [] : [{ type, number, codec }];
  });
  const byType = new Map(bodies.map((body) => [body.type, body]));
  const retry = byType.get('hello_retry_request');
  const byNumber = Array.from({ length: 256 }, (_, number) => bodies.find((body) => body.number === number));

  const bodyAt = (bytes: Uint8Array, offset: number): Body | undefined => {
    const body = byNumber[bytes[offset] ?? 256];
    const isRetry = body?.type === 'server_hello' && isHelloRetryRequest(bytes.subarray(offset + 4));
    return isRetry && retry !== undefined ? retry : body;
  };

  return defineCodec<MessageOf<C>>(
    {
      kind: 'message',
      typeAt: (bytes, offset) => bodyAt(bytes, offset)?.type,
      bodies: new Map(bodies.map(({ type, codec }) => [type, codec.shape])),
    },
    (reader) => {
      const found = bodyAt(reader.bytes, reader.offset);
      const number = reader.uint8();
      if (found === undefined)
        throw new AlertError(
          'unexpected_message',
          `got a handshake message of type ${number}, which has no meaning here`,
        );
      const { type, codec } = found;
      try {
        const outer = reader.open(3, 0, 2 ** 24 - 1);
        const body = codec.read(reader);
        reader.close(outer);
        return { type, body };
      } catch (error) {
        throw within(error, type);
      }
    },
    (writer, { type, body }: { readonly type: string; readonly body: unknown }) => {
      const found = byType.get(type);
      if (found === undefined) throw notEncodable(`got a ${type}, which this version does not have`);
      writer.uint8(found.number);
      const start = writer.open(3);
      found.codec.write(writer, body);
      writer.close(start, 3, 0, 2 ** 24 - 1);
    },
  );
}
