/**
 * Writes recorded connections as a capture file (pcap 2.4) that tshark reads: each a TCP stream over IPv4 with a handshake of
 * its own, headers made up. Nothing needs the right to capture.
 */
import { concat, empty } from '../../src/bytes.js';
import type { Segment } from '../../src/cli/figure.js';

/** tshark takes what is on this port for TLS. */
const serverPort = 443;
const firstClientPort = 40_000;
const maximumSegmentSize = 1460;
const flags = { syn: 0x02, ack: 0x10, push: 0x08 } as const;

/** One TCP stream for each connection, in order. */
export function pcap(connections: readonly (readonly Segment[])[]): Uint8Array {
  return concat(fileHeader, ...connections.flatMap((segments, i) => stream(firstClientPort + i, segments)));
}

/** Byte order by magic number, version 2.4, time zone and accuracy 0, longest packet, link type raw IP. */
const fileHeader = words([0xa1b2c3d4, 0x0002_0004, 0, 0, 0x40000, 101]);

function stream(clientPort: number, segments: readonly Segment[]): Uint8Array[] {
  const sent = { client: 0, server: 0 };
  const packet = (from: Segment['from'], control: number, payload = empty): Uint8Array => {
    const [own, other] = from === 'client' ? [clientPort, serverPort] : [serverPort, clientPort];
    const acknowledged = control & flags.ack ? sent[from === 'client' ? 'server' : 'client'] : 0;
    const tcp = words([own * 2 ** 16 + other, sent[from], acknowledged, 0x5000_ffff + control * 2 ** 16, 0]);
    sent[from] += payload.length + (control & flags.syn ? 1 : 0);
    return ipPacket(from, concat(tcp, payload));
  };
  return [
    packet('client', flags.syn),
    packet('server', flags.syn | flags.ack),
    packet('client', flags.ack),
    ...segments.flatMap(({ from, bytes }) => cut(bytes).map((part) => packet(from, flags.push | flags.ack, part))),
  ];
}

function cut(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += maximumSegmentSize) parts.push(bytes.subarray(at, at + maximumSegmentSize));
  return parts;
}

/** 10.0.0.1 is the client, 10.0.0.2 the server; time stands still. */
function ipPacket(from: Segment['from'], tcp: Uint8Array): Uint8Array {
  const length = 20 + tcp.length;
  const [source, destination] = from === 'client' ? [0x0a000001, 0x0a000002] : [0x0a000002, 0x0a000001];
  const ip = words([0x4500_0000 + length, 0, 0x4006_0000, source, destination]);
  return concat(words([0, 0, length, length]), ip, tcp);
}

/** Big-endian, 32 bits each. */
function words(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setUint32(i * 4, value));
  return new Uint8Array(view.buffer);
}
