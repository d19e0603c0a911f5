/**
 * Decides when streams are woken. An append does not wake streams itself; it requests a flush. Without load, the flush follows at
 * once. Under load there is a pause between flushes, so that a stream gets several events in one chunk.
 */

/** Calls `wake` for each of `sleepers`. Yields to the event loop after a slice of them, so that other work is not held up. */
export type Slices = <T>(sleepers: Iterable<T>, wake: (sleeper: T) => void) => Promise<void>

export interface PacedFlush {
  /** Schedules a flush. Further requests before it begins have no effect. */
  request: () => void
  /** Prevents any further flush. A running one is not interrupted. */
  stop: () => void
}

const sliceMs = 10
/** The longest pause. A flush that took longer than this was waiting for the log, not working. */
const maxRestMs = 1_000

/**
 * Only one `flush` runs at a time. After a flush, there is a pause as long as the flush took, at most one second: this leaves half
 * of the time to publishers. `flush` must not reject: a rejection is not caught here.
 */
export function createPacedFlush(flush: (inSlices: Slices) => Promise<void>): PacedFlush {
  let requested = false
  let running = false
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let earliestAt = 0

  function schedule(): void {
    if (!requested || running || stopped) return
    const waitMs = earliestAt - performance.now()
    if (waitMs > 1) timer ??= setTimeout(() => void run(), waitMs)
    else void run()
  }

  async function run(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    running = true
    const startedAt = performance.now()
    // Wait for the rest of this turn, so that its appends share one flush.
    await nextTurn()
    requested = false
    if (!stopped) await flush(inSlices)
    const endedAt = performance.now()
    earliestAt = endedAt + Math.min(endedAt - startedAt, maxRestMs)
    running = false
    schedule()
  }

  return {
    request() {
      requested = true
      schedule()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** The smallest slice. When other work, such as publishing, makes turns long, fewer wake-ups per turn would starve the streams. */
const leastSlice = 128

/**
 * A woken stream does part of its work in microtasks, after `wake` has returned. So this measures whole turns, and adapts the
 * slice size to their length.
 */
async function inSlices<T>(sleepers: Iterable<T>, wake: (sleeper: T) => void): Promise<void> {
  let size = leastSlice
  let woken = 0
  let startedAt = performance.now()
  for (const sleeper of sleepers) {
    wake(sleeper)
    if (++woken < size) continue
    await nextTurn()
    const now = performance.now()
    if (now - startedAt > sliceMs) size = Math.max(leastSlice, size >>> 1)
    else if (now - startedAt < sliceMs / 2) size *= 2
    startedAt = now
    woken = 0
  }
  await nextTurn()
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
