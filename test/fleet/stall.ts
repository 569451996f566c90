/**
 * How long a process stood still: on a machine that is busy with other things nothing comes in time, and a handshake that waited for a
 * processor has not waited for Redis.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delays = monitorEventLoopDelay({ resolution: 10 });
delays.enable();

/** Milliseconds, at the longest, since the last call. */
export function takeLongestStall(): number {
  const { max } = delays;
  delays.reset();
  return max / 1e6;
}
