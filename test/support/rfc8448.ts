/** The five traces of RFC 8448, typed and in bytes: what the RFC prints of each, by name. */
import { fromHex } from '../../src/bytes.js';
import { contentTypes } from '../../src/parameters.js';
import type { Side } from './traffic.js';
import { readVectors } from './vectors.js';

export type TraceEpoch = 'plaintext' | 'early' | 'handshake' | 'application';

export interface TraceMessage {
  readonly from: Side;
  /** `ClientHello`, `HelloRetryRequest`, ... */
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface TraceRecord {
  readonly from: Side;
  readonly contentType: number;
  readonly epoch: TraceEpoch;
  readonly payload: Uint8Array;
  /** As it stood on the wire, header included. */
  readonly bytes: Uint8Array;
}

export interface Trace {
  /** `simple-1rtt`, `resumed-0rtt`, `hello-retry-request`, `client-auth`, `compatibility-mode`. */
  readonly name: string;
  readonly title: string;
  readonly psk: Uint8Array | undefined;
  /** Of each ClientHello, and of the server. */
  readonly secretKeys: Readonly<Record<Side, readonly Uint8Array[]>>;
  readonly sharedSecret: Uint8Array;
  /** By name, in hexadecimal: `clientHandshakeTraffic`. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly transcriptHash: Readonly<
    Record<'clientHello' | 'serverHello' | 'serverFinished' | 'clientFinished', string>
  >;
  readonly trafficKeys: readonly TraceKeys[];
  readonly finished: Readonly<Record<Side, { readonly transcriptHash: string; readonly verifyData: string }>>;
  readonly binder: { readonly clientHelloPrefix: string; readonly transcriptHash: string; readonly binder: string };
  readonly certificates: Readonly<Partial<Record<Side, TraceCertificate>>>;
  readonly messages: readonly TraceMessage[];
  readonly records: readonly TraceRecord[];
}

export interface TraceKeys {
  readonly from: Side;
  readonly epoch: TraceEpoch;
  readonly secret: Uint8Array;
  readonly key: string;
  readonly iv: string;
}

export interface TraceCertificate {
  readonly der: Uint8Array;
  readonly signedContent: Uint8Array;
  readonly signature: Uint8Array;
}

const sides = ['client', 'server'] as const;

interface File {
  readonly sections: readonly { readonly name: string; readonly title: string; readonly named: Named }[];
}
interface Named extends Pick<Trace, 'secrets' | 'transcriptHash' | 'finished' | 'binder'> {
  readonly psk?: string;
  readonly sharedSecret: string;
  readonly clientEphemeral: readonly { readonly privateKey: string }[];
  readonly serverEphemeral: readonly { readonly privateKey: string }[];
  readonly trafficKeys: Record<Side, Record<string, { secret: string; key: string; iv: string }>>;
  readonly certificates?: Partial<Record<Side, { der: string; signedContent: string; signature: string }>>;
  readonly messages: readonly { readonly from: Side; readonly type: string; readonly hex: string }[];
  readonly records: readonly {
    readonly from: Side;
    readonly contentType: keyof typeof contentTypes;
    readonly epoch: TraceEpoch;
    readonly payload: string;
    readonly record: string;
  }[];
}

export const traces: readonly Trace[] = (readVectors('rfc8448/rfc8448.json') as File).sections.map(
  ({ name, title, named }) => ({
    ...named,
    name,
    title,
    psk: named.psk === undefined ? undefined : fromHex(named.psk),
    sharedSecret: fromHex(named.sharedSecret),
    secretKeys: {
      client: named.clientEphemeral.map(({ privateKey }) => fromHex(privateKey)),
      server: named.serverEphemeral.map(({ privateKey }) => fromHex(privateKey)),
    },
    trafficKeys: sides.flatMap((from) =>
      Object.entries(named.trafficKeys[from]).map(([epoch, { secret, key, iv }]) => ({
        from,
        epoch: epoch as TraceEpoch,
        secret: fromHex(secret),
        key,
        iv,
      })),
    ),
    certificates: Object.fromEntries(
      Object.entries(named.certificates ?? {}).map(([side, { der, signedContent, signature }]) => [
        side,
        { der: fromHex(der), signedContent: fromHex(signedContent), signature: fromHex(signature) },
      ]),
    ),
    messages: named.messages.map(({ from, type, hex }) => ({ from, type, bytes: fromHex(hex) })),
    records: named.records.map(({ from, contentType, epoch, payload, record }) => ({
      from,
      contentType: contentTypes[contentType],
      epoch,
      payload: fromHex(payload),
      bytes: fromHex(record),
    })),
  }),
);

export function traceOf(name: string): Trace {
  const trace = traces.find((candidate) => candidate.name === name);
  if (trace === undefined) throw new Error(`RFC 8448 has no trace ${name}`);
  return trace;
}
