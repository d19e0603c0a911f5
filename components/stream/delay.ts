/** How long events take from their publishing to this page: of the last minute, in milliseconds. Knows neither streams nor clocks. */

export interface Delay {
  /** Of the newest events: those before the last reading that saw any. */
  medianMs: number | undefined
  /** Of the last minute. */
  worstMs: number | undefined
}

export interface DelayMeter {
  add: (delayMs: number) => void
  /** Tells what was added until now; `at` is the time by a clock that nobody sets. */
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
 * From the time of publishing, by the server's clock, to that of arrival, by this computer's, which is `clockOffsetMs` ahead.
 * The offset is known to within the time that its own message took: it may take away more than there was.
 */
export function delayOf(
  { time, receivedAt }: { time: number; receivedAt: number },
  clockOffsetMs: number,
): number {
  return Math.max(0, Math.round(receivedAt - clockOffsetMs - time))
}
