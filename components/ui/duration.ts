/** Durations for people: `12 ms`, `2.0 s`, `1 min 35 s`. */
export function formatDuration(durationMs: number): string {
  // The clock may be set back between two readings.
  const ms = Math.max(0, durationMs)
  if (ms < 100) return `${ms} ms`
  const tenths = Math.round(ms / 100)
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`
  const seconds = Math.round(tenths / 10)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
