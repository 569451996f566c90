/** Every flow that client and server of this library have, as data. Each has a golden text of the same name. */
import { binding } from './scenarios/binding.js';
import { bothVersions } from './scenarios/both-versions.js';
import { failures } from './scenarios/failures.js';
import { resumption } from './scenarios/resumption.js';
import { tls13Connection } from './scenarios/tls13-connection.js';
import { tls13EarlyData } from './scenarios/tls13-early-data.js';
import { tls13Handshakes } from './scenarios/tls13-handshakes.js';
import { tls13Tickets } from './scenarios/tls13-tickets.js';

export const scenarios = [
  ...[...resumption, ...binding, ...failures],
  ...[...tls13Handshakes, ...tls13Tickets, ...tls13EarlyData, ...tls13Connection, ...bothVersions],
];
