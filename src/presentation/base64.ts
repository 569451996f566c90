/**
 * Base64 (RFC 4648): `base64url` without padding for keys and values in stores that are text to their clients, and base64 with padding and
 * without line breaks, as files of ticket keys have it.
 *
 * The surprising thing: one byte string has one text. A decoder that shrugs at a wrong character or at other bits at the end makes
 * another key of a mistyped one.
 */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export const base64url = {
  encode(bytes: Uint8Array): string {
    let text = '';
    for (let i = 0; i < bytes.length; i += 3) {
      const rest = bytes.length - i;
      const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      text += alphabet.charAt(bits >> 18) + alphabet.charAt((bits >> 12) & 63);
      if (rest > 1) text += alphabet.charAt((bits >> 6) & 63);
      if (rest > 2) text += alphabet.charAt(bits & 63);
    }
    return text;
  },

  /** `undefined` for what {@link base64url.encode} does not make. */
  decode(text: string): Uint8Array | undefined {
    const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
    let bits = 0;
    let held = 0;
    let end = 0;
    for (let i = 0; i < text.length; i++) {
      const value = values[text.charCodeAt(i)] ?? -1;
      if (value < 0) return undefined;
      bits = ((bits << 6) | value) & 0xfff;
      held += 6;
      if (held < 8) continue;
      held -= 8;
      bytes[end++] = bits >> held;
    }
    // A lone character at the end is less than a byte; bits that are left over are zero.
    return held < 6 && (bits & ((1 << held) - 1)) === 0 ? bytes : undefined;
  },
};

/** By character code; -1 for what is not in the alphabet. */
const values = /* @__PURE__ */ Int8Array.from({ length: 128 }, (_, code) =>
  alphabet.indexOf(String.fromCharCode(code)),
);

/** With `+`, `/` and padding (RFC 4648 4). */
export function toBase64(bytes: Uint8Array): string {
  const digits = base64url.encode(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return digits.padEnd(Math.ceil(digits.length / 4) * 4, '=');
}

/** `undefined` for anything that {@link toBase64} would not have written. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return base64url.decode(text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'));
}
