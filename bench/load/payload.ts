/** The event that every bench sends: 100 bytes of JSON that end with the time of sending, `["xxx…",100123456789]`. */

/** The end of each event. A server sends these bytes nowhere else, so counting them counts events. */
export const endOfEvent = ']'.charCodeAt(0)
export const eventBytes = 100

const digits = 12
const padding = 'x'.repeat(eventBytes - digits - '["",]'.length)
const zero = '0'.charCodeAt(0)
// The time always has twelve digits this way, for ten days.
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
