/** Every flow of TLS 1.2 that client and server of this library have, as data. Each has a golden text of the same name. */
import { binding } from './scenarios/binding.js';
import { failures } from './scenarios/failures.js';
import { resumption } from './scenarios/resumption.js';

export const scenarios = [...resumption, ...binding, ...failures];
