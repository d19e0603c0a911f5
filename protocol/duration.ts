/** Lengths of time as people write them: `500ms`, `15s`, `10m`, `24h`, `7d`. */

/** `setTimeout` fires at once when the delay exceeds 2³¹ − 1 ms. */
export const longestTimeoutMs = 2 ** 31 - 1

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const grammar = /^(\d+)(ms|s|m|h|d)$/

/** Returns milliseconds, or undefined when `text` does not match the grammar `\d+(ms|s|m|h|d)`, or is too long to count exactly. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = grammar.exec(text) ?? []
  if (unit === undefined) return undefined
  const durationMs = Number(amount) * unitMs[unit as keyof typeof unitMs]
  return Number.isSafeInteger(durationMs) ? durationMs : undefined
}
