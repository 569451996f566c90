/** message_hash: RFC 8446 4.4.1. Never on the wire; it stands for the first ClientHello in a transcript. */
import { type Infer, rest, struct } from '../presentation/codec.js';

export const messageHash = struct({ hash: rest(32, 64) });
export interface MessageHash extends Infer<typeof messageHash> {}
