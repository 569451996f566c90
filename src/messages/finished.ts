/** Finished: RFC 8446 4.4.4, as long as the hash, and RFC 5246 7.4.9, 12 bytes. */
import { type Infer, rest, struct } from '../presentation/codec.js';

export const finished = struct({ verifyData: rest(12, 64) });
export interface Finished extends Infer<typeof finished> {}
