/** Reads a file of vectors/ as JSON. */
import { readFileSync } from 'node:fs';

/** The caller names the type that the file has: vectors are this repository's own data. */
export function readVectors(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/${path}`, import.meta.url), 'utf8'));
}
