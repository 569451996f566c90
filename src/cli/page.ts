/** What `serve --www` answers: an HTTP/1.0 response whose body says how the connection was made, one fact a line. */
import { ascii } from '../bytes.js';
import type { HandshakeLine } from './handshake-line.js';

/** Fits into one record whatever the names in it: they have 255 characters at most. */
export function page(line: HandshakeLine): Uint8Array {
  const facts = Object.entries(line).filter(([name, value]) => name !== 'event' && value !== null);
  const body = facts.map(([name, value]) => `${name}: ${String(value)}\n`).join('');
  const head = [
    'HTTP/1.0 200 OK',
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return ascii(`${head.join('\r\n')}\r\n\r\n${body}`);
}
