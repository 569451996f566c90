/** Flows, streams and cuts, as the properties of connections draw them. */
import fc from 'fast-check';
import { join, toHex } from '../../src/bytes.js';
import type { Pair } from '../support/connections.js';
import { flows, record, sides, type Flow } from '../support/replay.js';
import type { Side } from '../support/traffic.js';

const allFlows = Object.values(flows);
export const recordings = new Map(allFlows.map((flow) => [flow, record(flow)]));
export const anyFlow = fc.constantFrom(...allFlows);
export const anySide = fc.constantFrom(...sides);

/** What the other side of a flow sends. */
export function streamTo(flow: Flow, target: Side): Uint8Array {
  const { segments } = recordings.get(flow)!;
  return join(segments.filter(({ from }) => from !== target).map(({ bytes }) => bytes));
}

export function cutAt(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return places.slice(1).map((end, i) => stream.slice(places[i], end));
}

export const anyCuts = fc.array(fc.nat(), { maxLength: 12 });

export function recordsOf(stream: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at + 5 <= stream.length;) {
    const end = at + 5 + stream[at + 3]! * 0x100 + stream[at + 4]!;
    records.push(stream.subarray(at, end));
    at = end;
  }
  return records;
}

/** What both sides would export, if both are open; throws where it is not the same. */
export function agreement({ client, server }: Pair): string | undefined {
  if (client.connection.state !== 'open' || server.connection.state !== 'open') return undefined;
  const [mine, theirs] = [client, server].map((end) => toHex(end.connection.exportKeyingMaterial('EXPERIMENTAL', 32)));
  if (mine !== theirs) throw new Error('two open connections that do not agree');
  return mine;
}
