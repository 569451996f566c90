/** psk_key_exchange_modes: RFC 8446 4.2.9. */
import { pskKeyExchangeModes } from '../../parameters.js';
import { enumeration, type Infer, vector } from '../../presentation/codec.js';

export const pskKeyExchangeModeList = vector(enumeration(1, pskKeyExchangeModes), 1, 2 ** 8 - 1);
export type PskKeyExchangeModeList = Infer<typeof pskKeyExchangeModeList>;
