/**
 * This library's own encodings of a {@link Session}: `sessionState` for tickets and server stores, `clientSessionState` for what a
 * client keeps between connections (RFC 5077 4 leaves the contents to the server; RFC 7627 5.4, RFC 8446 4.6.1).
 *
 *     struct {
 *         uint8 format;                              // 1, and 2 for a client's session
 *         ProtocolVersion version;
 *         select (version) {
 *             case 0x0303: Tls12State;
 *             case 0x0304: Tls13State;
 *         } state;                                   // see state-fields; a client's has its ticket at the end
 *     } SessionState;                                // and after a client's session what was stapled, if anything was
 *
 * Neither reads what the other has written.
 *
 * Neither encoding protects anything: a ticket is sealed around the first, and whoever can write where a client keeps the second
 * can make it trust another server. Its checksum finds damage, not attackers.
 */
import { concat, copy, empty, wipe } from '../bytes.js';
import { protocolVersions } from '../parameters.js';
import { constant, enumeration, opaque, optional, select, struct, uint32, type Infer } from '../presentation/codec.js';
import { decodeOrUndefined } from './decode.js';
import type { Session, SessionEncoding } from './session.js';
import {
  tls12Fields,
  tls12Session,
  tls12State,
  tls13Fields,
  tls13Session,
  tls13State,
  type Draft,
} from './state-fields.js';

/** Without what only a client has: its id, ticket and lifetime hint. */
export const sessionState = {
  encode: (session: Session): Uint8Array =>
    serverCodec.encode({
      format: 'session',
      body:
        session.version === 'TLSv1.3'
          ? { version: session.version, state: tls13Fields(session) }
          : { version: session.version, state: tls12Fields(session) },
    }),

  decode(bytes: Uint8Array): Session | undefined {
    const { body } = decodeOrUndefined(serverCodec, copy(bytes)) ?? {};
    if (body === undefined) return undefined;
    return body.version === 'TLSv1.3' ? tls13Session(body.state) : tls12Session(body.state);
  },
} satisfies SessionEncoding;

/**
 * With the client's id, ticket and lifetime hint, and a checksum at the end. A session of TLS 1.3 without its ticket is a
 * `UsageError` (`value_not_encodable`).
 */
export const clientSessionState = {
  encode(session: Session): Uint8Array {
    const { ticket = empty } = session;
    const state = clientCodec.encode({
      format: 'client_session',
      body:
        session.version === 'TLSv1.3'
          ? { version: session.version, state: { shared: tls13Fields(session), ticket } }
          : {
              version: session.version,
              state: {
                shared: tls12Fields(session),
                sessionId: session.sessionId ?? empty,
                ticket,
                ticketLifetimeHint: session.ticketLifetimeHint ?? 0,
                pskIdentityHint: session.pskIdentityHint ?? empty,
              },
            },
      tail: tailOf(session),
    });
    const checked = concat(state, uint32.encode(crc32(state)));
    wipe(state);
    return checked;
  },

  decode(bytes: Uint8Array): Session | undefined {
    const checked = copy(bytes.subarray(0, -4));
    if (decodeOrUndefined(uint32, bytes.subarray(-4)) !== crc32(checked)) return undefined;
    const { body, tail } = decodeOrUndefined(clientCodec, checked) ?? {};
    if (body === undefined) return undefined;
    if (body.version === 'TLSv1.3') {
      const session = tls13Session(body.state.shared);
      if (session === undefined) return undefined;
      session.ticket = body.state.ticket;
      return withStaples(session, tail);
    }
    const { shared, sessionId, ticket, ticketLifetimeHint, pskIdentityHint } = body.state;
    const session = tls12Session(shared);
    if (session === undefined) return undefined;
    if (session.externalPskIdentity !== undefined) session.pskIdentityHint = pskIdentityHint;
    if (sessionId.length > 0) session.sessionId = sessionId;
    if (ticket.length > 0) {
      session.ticket = ticket;
      session.ticketLifetimeHint = ticketLifetimeHint;
    }
    return withStaples(session, tail);
  },
} satisfies SessionEncoding;

/** Whether it was written by `clientSessionState`. */
export function isClientState(bytes: Uint8Array): boolean {
  return bytes[0] === formats.client_session;
}

const formats = { session: 1, client_session: 2 };
const format = enumeration(1, formats);
const version = enumeration(2, protocolVersions);

const serverCodec = struct({
  format: constant(format, 'session'),
  body: select('version', version, 'state', { 'TLSv1.2': tls12State, 'TLSv1.3': tls13State }),
});

/** What stands at the end of a client's session that has something of it; empty is none. */
const clientTail = struct({
  ocspResponse: opaque(0, 2 ** 24 - 1),
  signedCertificateTimestamps: opaque(0, 2 ** 16 - 1),
});

const clientCodec = struct({
  format: constant(format, 'client_session'),
  body: select('version', version, 'state', {
    'TLSv1.2': struct({
      shared: tls12State,
      sessionId: opaque(0, 32), // empty: none
      ticket: opaque(0, 2 ** 16 - 1), // empty: none
      ticketLifetimeHint: uint32,
      pskIdentityHint: opaque(0, 2 ** 16 - 1),
    }),
    'TLSv1.3': struct({ shared: tls13State, ticket: opaque(1, 2 ** 16 - 1) }),
  }),
  tail: optional(clientTail),
});

function tailOf(session: Session): Infer<typeof clientTail> | undefined {
  const { ocspResponse = empty, signedCertificateTimestamps = empty } = session;
  if (ocspResponse.length + signedCertificateTimestamps.length === 0) return undefined;
  return { ocspResponse, signedCertificateTimestamps };
}

/** `undefined` where something is announced and nothing is there. */
function withStaples<S extends Draft<Session>>(session: S, tail: Infer<typeof clientTail> | undefined): S | undefined {
  if (tail === undefined) return session;
  const { ocspResponse, signedCertificateTimestamps } = tail;
  if (ocspResponse.length + signedCertificateTimestamps.length === 0) return undefined;
  if (ocspResponse.length > 0) session.ocspResponse = ocspResponse;
  if (signedCertificateTimestamps.length > 0) session.signedCertificateTimestamps = signedCertificateTimestamps;
  return session;
}

/** CRC-32 (ISO 3309), a byte at a time. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (crc32Table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

const crc32Table = /* @__PURE__ */ Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
