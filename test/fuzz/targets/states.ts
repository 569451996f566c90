/**
 * States of other servers: what a codec reads it writes to the same bytes, and what an encoding makes a session of can be used, and is
 * written and read again as the same one.
 */
import { ascii, equal, fromHex } from '../../../src/bytes.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { isTls13CipherSuite, tls13Suites } from '../../../src/key-schedule/suites.js';
import type { Codec } from '../../../src/presentation/codec.js';
import {
  boringsslSession,
  boringsslState,
  type ForeignStateProfile,
  go120Session,
  go120State,
  go121Session,
  go121State,
  s2nSession,
  s2nState,
  type Session,
  type SessionEncoding,
  sslSession,
  opensslState,
} from '../../../src/sessions/index.js';
import { ticketSamples } from '../../support/ticket-samples.js';
import { Decisions, rule, seed, type FuzzTarget } from '../target.js';

const profile: ForeignStateProfile = {
  lifetime: 604_800,
  sessionIdContext: ascii('ctx'),
  serverNamesOfUnnamedStates: ['a.test'],
  trustClientCertificatesInTickets: true,
};
/** Of the samples. */
const now = 1_795_254_310_000;
const place = { serverName: 'a.test', applicationContext: fromHex('c0ffee'), now };

interface Dialect {
  /** What the files of its samples begin with. */
  readonly samples: readonly string[];
  readonly codec: Codec<unknown>;
  readonly encoding: SessionEncoding;
}

const dialects: readonly Dialect[] = [
  {
    samples: ['openssl', 'nginx', 'apache', 'haproxy', 'node', 'h2o'],
    codec: sslSession,
    encoding: opensslState(profile),
  },
  { samples: ['boringssl'], codec: boringsslSession, encoding: boringsslState(profile) },
  { samples: ['go119'], codec: go120Session, encoding: go120State({ ...profile, crypto: nodeCrypto }) },
  { samples: ['go121'], codec: go121Session, encoding: go121State({ ...profile, withGroup: true }) },
  { samples: ['s2n'], codec: s2nSession, encoding: s2nState(profile) },
];

const reasons = ['too_old', 'expired', 'context_mismatch', 'client_certificate_distrusted'];

function reads({ codec, encoding }: Dialect, bytes: Uint8Array): void {
  const untouched = bytes.slice();
  const fields = decodeOrNothing(codec, bytes);
  rule(fields === undefined || equal(codec.encode(fields), untouched), 'what is read is written to the same bytes');
  const session = encoding.decode(bytes, place);
  rule(equal(bytes, untouched), 'decoding changes nothing');
  if (session === undefined) return;
  rule(fields !== undefined, 'a session of what cannot be read');
  if (typeof session === 'string') rule(reasons.includes(session), `the reason ${session}`);
  else isUsable(session, encoding);
}

function isUsable(session: Session, encoding: SessionEncoding): void {
  const { version, cipherSuite, issuedAt } = session;
  const secret = version === 'TLSv1.3' ? session.psk : session.masterSecret;
  rule(!secret.every((byte) => byte === 0), 'no session has a secret of zeros');
  if (version === 'TLSv1.3') {
    rule(isTls13CipherSuite(cipherSuite), 'a suite of TLS 1.3');
    rule(secret.length === (tls13Suites[cipherSuite].hash === 'sha256' ? 32 : 48), 'a PSK is as long as its hash');
    rule(session.ticketLifetime >= 1 && session.ticketLifetime <= 604_800, 'a lifetime of TLS 1.3');
  } else rule(secret.length === 48, 'a master secret has 48 bytes');
  rule(issuedAt <= now + 60_000 && issuedAt >= now - 604_800_000, 'a time within seven days');
  const again = encoding.encode(session);
  if (again === undefined) return;
  const back = encoding.decode(again, place);
  rule(typeof back === 'object' && back.cipherSuite === cipherSuite, 'what is written can be read');
  rule(back.serverName === session.serverName, 'with the same name');
  const backsSecret = back.version === 'TLSv1.3' ? back.psk : back.masterSecret;
  rule(equal(backsSecret, secret), 'with the same secret');
  rule(back.establishedAt <= session.establishedAt + 999, 'a session does not get younger');
}

function decodeOrNothing(codec: Codec<unknown>, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (error) {
    rule(error instanceof Error && error.name === 'DecodeError', `the error ${String(error)}`);
    return undefined;
  }
}

/** Go 1.21 has no samples of its own: its seeds are what is written here of the others. */
function seeds(): readonly Uint8Array[] {
  const samples = ticketSamples();
  return dialects.flatMap(({ samples: names, encoding }, i) => {
    const own = samples.filter(([name]) => names.some((prefix) => name.startsWith(prefix)));
    const states = own.map(([, { plaintextHex }]) => fromHex(plaintextHex));
    const written = dialects.flatMap((other) =>
      samples
        .filter(([name]) => other.samples.some((prefix) => name.startsWith(`${prefix}-`)))
        .slice(0, 4)
        .flatMap(([, { plaintextHex }]) => rewritten(other.encoding, encoding, fromHex(plaintextHex))),
    );
    return [...states, ...written].map((state) => seed([i], state));
  });
}

function rewritten(from: SessionEncoding, to: SessionEncoding, state: Uint8Array): readonly Uint8Array[] {
  const session = from.decode(state, place);
  const bytes = typeof session === 'object' ? to.encode(session) : undefined;
  return bytes === undefined ? [] : [bytes];
}

export const stateTarget: FuzzTarget = {
  name: 'states',
  seeds,
  run: (data) => {
    const decisions = new Decisions(data);
    const dialect = decisions.pick(dialects);
    reads(dialect, decisions.rest());
  },
};
