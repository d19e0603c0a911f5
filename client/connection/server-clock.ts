/** How far this computer's clock is ahead of the server's, by the times that the server sends. */

export interface ServerClock {
  /** Notes that the server sent `time` as its time: milliseconds since the Unix epoch. */
  hear: (time: number) => void
  /** Milliseconds; undefined before the first time was heard. */
  offsetMs: () => number | undefined
}

/** Enough samples that one of them was fast, and few enough to follow clocks that drift. */
const samples = 8

/** Network latency makes each offset too large. So the smallest of the last eight is the most accurate. */
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
