/** How long events take from the publisher to this page, in milliseconds. The caller says what time it is. */

export interface Delay {
  /** The median of the newest events: those of the last reading that had any. */
  medianMs: number | undefined
  /** The longest delay of the last minute. */
  worstMs: number | undefined
}

export interface DelayMeter {
  add: (delayMs: number) => void
  /** The delay now. `at` is the time by a monotonic clock, such as `performance.now()`. */
  read: (at: number) => Delay
}

const shownMs = 60_000

export const noDelay: Delay = { medianMs: undefined, worstMs: undefined }

export function createDelayMeter(): DelayMeter {
  let fresh: number[] = []
  let readings: { at: number; medianMs: number; worstMs: number }[] = []

  return {
    add(delayMs) {
      fresh.push(delayMs)
    },
    read(at) {
      const sorted = fresh.toSorted((a, b) => a - b)
      fresh = []
      const medianMs = sorted[Math.floor((sorted.length - 1) / 2)]
      const worstMs = sorted.at(-1)
      if (medianMs !== undefined && worstMs !== undefined) readings.push({ at, medianMs, worstMs })
      readings = readings.filter((reading) => reading.at > at - shownMs)
      const newest = readings.at(-1)
      if (!newest) return noDelay
      return {
        medianMs: newest.medianMs,
        worstMs: Math.max(...readings.map((reading) => reading.worstMs)),
      }
    },
  }
}

/**
 * From publishing, by the server's clock, to arrival, by this computer's clock, which is `clockOffsetMs` ahead. The offset is too large by
 * the time its own message took, so the difference may be negative: that counts as 0.
 */
export function delayOf(
  { time, receivedAt }: { time: number; receivedAt: number },
  clockOffsetMs: number,
): number {
  return Math.max(0, Math.round(receivedAt - clockOffsetMs - time))
}
