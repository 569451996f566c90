/** How often each value occurs. */
export function tally(values: readonly string[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const value of values) count[value] = (count[value] ?? 0) + 1;
  return count;
}
