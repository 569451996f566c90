/**
 * Letting go of a transport in such a way that the last bytes, an alert perhaps, still arrive: a TCP socket that is closed with
 * unread data sends a reset, and a reset makes the peer drop what it has not read yet.
 */
import type { Duplex } from 'node:stream';

/** How long a peer that has been told the end may take to close its side, milliseconds. */
export const lingerTimeout = 2_000;

/** Ends our side, drops what still comes, and destroys the transport when the peer closes or {@link lingerTimeout} is over. */
export function lingerAndDestroy(transport: Duplex): void {
  if (transport.destroyed) return;
  const destroy = () => {
    clearTimeout(timer);
    transport.destroy();
  };
  const timer = setTimeout(destroy, lingerTimeout);
  transport.once('close', () => clearTimeout(timer));
  transport.once('error', destroy);
  transport.end();
  if (transport.readableEnded) transport.once('finish', destroy);
  else transport.once('end', destroy).resume();
}
