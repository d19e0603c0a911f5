/**
 * Decides when streams are woken. Appending wakes nobody: it asks for a flush, and flushes keep a distance, so that under load
 * a stream gets several events in one piece. With no load a flush comes at once.
 */

/** Gives `wake` each of `sleepers`, without keeping the event loop from other work for long. */
export type Slices = <T>(sleepers: Iterable<T>, wake: (sleeper: T) => void) => Promise<void>

export interface PacedFlush {
  /** Asks for a flush, soon; asking again before it began changes nothing. */
  request: () => void
  /** No flush begins from now on. */
  stop: () => void
}

const sliceMs = 10
/** A flush that took longer than that was waiting for the log. */
const maxRestMs = 1_000

/**
 * `flush` is never run twice at once. After one that took t, the next begins no sooner than t later, a second at most: half
 * of the time is left to publishers. A flush that rejects is the caller's fault, and is not caught.
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
    // Appends of the same turn go out together.
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

/** Fewer in one turn would starve the streams where turns are long because of others: publishers, say. */
const leastSlice = 128

/**
 * A stream does some of its work after the call that wakes it, before the loop turns. So the time is taken from turn to turn, and the
 * number woken in one turn follows it.
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
