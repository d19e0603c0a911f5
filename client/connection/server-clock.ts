/** How far this computer's clock is ahead of the server's, by the times that the server sends. */

export interface ServerClock {
  /** Notes that the server sent `time` as its time: milliseconds since the Unix epoch. */
  hear: (time: number) => void
  /** Milliseconds; undefined before the first time was heard. */
  offsetMs: () => number | undefined
}

/** Enough that one of them came quickly, few enough to follow clocks that drift. */
const samples = 8

/** Each time arrives late by its time on the network. The one that was quickest, of the last eight, is the best measure. */
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
