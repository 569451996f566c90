/** The lines that the command prints: one JSON object each, fields always there, `null` where there is nothing to say. */
import type { HandshakeEvent } from '../connection/events.js';

export interface HandshakeLine {
  readonly event: 'handshake';
  readonly protocol: string;
  readonly cipherSuite: string;
  readonly group: string | null;
  readonly mode: HandshakeEvent['mode'];
  readonly resumed: boolean;
  /** Why the handshake was a full one. */
  readonly reason: string | null;
  readonly helloRetryRequest: boolean;
  readonly earlyData: 'none' | 'accepted' | 'rejected';
  /** Why early data was not accepted. */
  readonly earlyDataReason: string | null;
  readonly earlyDataBytes: number;
  readonly alpn: string | null;
  readonly serverName: string | null;
}

export function handshakeLine(handshake: HandshakeEvent): HandshakeLine {
  return {
    event: 'handshake',
    protocol: handshake.version,
    cipherSuite: handshake.cipherSuite,
    group: handshake.group ?? null,
    mode: handshake.mode,
    resumed: handshake.resumed,
    reason: handshake.reason ?? null,
    helloRetryRequest: handshake.helloRetryRequest,
    earlyData: handshake.earlyData,
    earlyDataReason: handshake.earlyDataReason ?? null,
    earlyDataBytes: handshake.earlyDataBytes,
    alpn: handshake.alpnProtocol ?? null,
    serverName: handshake.serverName ?? null,
  };
}

/** The same for people. */
export function inWords(line: HandshakeLine): string {
  const { protocol, cipherSuite, group, mode, reason, earlyData, earlyDataReason, earlyDataBytes } = line;
  const parts = [`${protocol} ${cipherSuite}`, reason === null ? mode : `${mode} (${reason})`];
  if (group !== null) parts.push(group);
  if (line.helloRetryRequest) parts.push('HelloRetryRequest');
  if (earlyData === 'accepted') parts.push(`${earlyDataBytes} bytes of early data accepted`);
  if (earlyData === 'rejected') parts.push(`early data rejected (${String(earlyDataReason)})`);
  if (line.alpn !== null) parts.push(`ALPN ${line.alpn}`);
  if (line.serverName !== null) parts.push(line.serverName);
  return parts.join(', ');
}
