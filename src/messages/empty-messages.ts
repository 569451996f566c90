/** HelloRequest (RFC 5246 7.4.1.1), ServerHelloDone (RFC 5246 7.4.5), EndOfEarlyData (RFC 8446 4.5): all empty. */
import { emptyStruct } from '../presentation/codec.js';

export const helloRequest = emptyStruct;
export const serverHelloDone = emptyStruct;
export const endOfEarlyData = emptyStruct;
