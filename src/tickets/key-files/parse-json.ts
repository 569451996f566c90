/** JSON of files that hold secrets. */

/** `undefined` for text that is no JSON: what `JSON.parse` throws quotes the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Narrows to less than `Array.isArray` does, whose members may be used as anything. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
