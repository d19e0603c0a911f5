/** How far this computer's clock is ahead of the server's, learnt from the times that the server tells. */

export interface ServerClock {
  /** The server says that it is `time` now: milliseconds since the Unix epoch. */
  hear: (time: number) => void
  /** Milliseconds; undefined before anything was heard. */
  offsetMs: () => number | undefined
}

/** Enough to meet a quick one among them, few enough to follow clocks that drift. */
const samples = 8

/** Each time comes late by its way here, which differs from one to the next: the quickest of the last eight tells the clocks apart best. */
export function createServerClock(): ServerClock {
  const offsets: number[] = []
  return {
    hear(time) {
      offsets.push(Date.now() - time)
      if (offsets.length > samples) offsets.shift()
    },
    offsetMs: () => (offsets.length > 0 ? Math.min(...offsets) : undefined),
  }
}
