/** Numbers, times and ids as people read them. Except for `timeOfDay`, server and client give the same text in any locale. */
import { parseCursor } from 'next-sse/client'

const numbers = new Intl.NumberFormat('en')

/** As `10,000`; a count above `most` as `9,999+`. */
export function formatCount(count: number, most = Infinity): string {
  return count > most ? `${numbers.format(most)}+` : numbers.format(count)
}

/** The noun that goes with a count: `event` with 1, `events` with any other. */
export function nounFor(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`
}

/** The size of a text as UTF-8: `58 B`, `64 KiB`, `71.2 KiB`. */
export function formatBytes(text: string): string {
  const bytes = new TextEncoder().encode(text).length
  if (bytes < 1024) return `${bytes} B`
  // Rounded up, so that a size just over a limit does not read like the limit.
  return `${Math.ceil((bytes / 1024) * 10) / 10} KiB`
}

/** As `12 ms`, `2.0 s` or `1 min 35 s`. A negative duration, after a clock was set back, is `0 ms`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs)
  if (ms < 100) return `${ms} ms`
  const tenths = Math.round(ms / 100)
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`
  const seconds = Math.round(tenths / 10)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** A running time as a stopwatch shows it: `12:04`, `1:12:04`. */
export function formatStopwatch(durationMs: number): string {
  const hours = Math.floor(durationMs / 3_600_000)
  const minutes = String(Math.floor(durationMs / 60_000) % 60)
  const seconds = String(Math.floor(durationMs / 1_000) % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${minutes.padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`
}

/** A local time of day in two parts, `14:03:` and `21.004`: the second part is what differs from row to row. */
export function timeOfDay(time: number): [minutes: string, seconds: string] {
  const date = new Date(time)
  const text = date.toTimeString()
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return [text.slice(0, 6), `${text.slice(6, 8)}.${ms}`]
}

/** The number in an event's id: `42` of `k3f9.42`. An id of another form is shown whole. */
export function formatId(id: string): string {
  return String(parseCursor(id)?.offset ?? id)
}
