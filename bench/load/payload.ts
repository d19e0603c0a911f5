/** What every event of a bench is: 100 bytes of JSON that end in the time it was sent at, `["xxx…",100123456789]`. */

/** Stands at the end of each event, and nowhere else in what a server sends: who counts it counts events. */
export const endOfEvent = ']'.charCodeAt(0)
export const eventBytes = 100

const digits = 12
const padding = 'x'.repeat(eventBytes - digits - '["",]'.length)
const zero = '0'.charCodeAt(0)
// So that it always has twelve digits: good for ten days.
const originUs = 10 ** (digits - 1)

/** The time on this process's own clock, in microseconds. */
export function nowUs(): number {
  return originUs + Math.round(performance.now() * 1_000)
}

/** An event sent now. */
export function createEvent(): string {
  return `["${padding}",${nowUs()}]`
}

/** When the event was sent whose last byte is at `end`; undefined when its time is not in these bytes. */
export function sentAtUs(bytes: Uint8Array, end: number): number | undefined {
  if (end < digits) return undefined
  let sentAt = 0
  for (let at = end - digits; at < end; at++) sentAt = sentAt * 10 + (bytes[at] ?? 0) - zero
  return sentAt
}
