/** Figures of a run. */

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0)
}

export function prefixed(
  prefix: string,
  counts: ReadonlyMap<string, number>,
): Record<string, number> {
  return Object.fromEntries([...counts].map(([name, count]) => [`${prefix}${name}`, count]))
}
