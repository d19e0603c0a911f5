/** What bench/sustained.ts compares hub/paced-flush.ts with: every append flushes at once, and wakes every stream in one go. */
import type { PacedFlush, Slices } from '@/hub/paced-flush'

export function createUnpacedFlush(flush: (inSlices: Slices) => Promise<void>): PacedFlush {
  let stopped = false
  let last = Promise.resolve()
  return {
    request() {
      last = last.then(() => (stopped ? undefined : flush(inOneGo)))
    },
    stop() {
      stopped = true
    },
  }
}

function inOneGo<T>(sleepers: Iterable<T>, wake: (sleeper: T) => void): Promise<void> {
  for (const sleeper of sleepers) wake(sleeper)
  return Promise.resolve()
}
