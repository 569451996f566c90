/** max_fragment_length: RFC 6066 4. */
import { maxFragmentLengths } from '../../parameters.js';
import { enumeration } from '../../presentation/codec.js';

export const maxFragmentLength = enumeration(1, maxFragmentLengths);
