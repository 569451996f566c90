/** EncryptedExtensions: RFC 8446 4.3.1. */
import { type Infer, struct } from '../presentation/codec.js';
import { extensionList } from './extensions/index.js';

export const encryptedExtensions = struct({
  extensions: extensionList('encrypted_extensions', 0, 2 ** 16 - 1),
});
export interface EncryptedExtensions extends Infer<typeof encryptedExtensions> {}
