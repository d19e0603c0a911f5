/**
 * One timer for the batches of all runs. Batches that are due within the same ten milliseconds come in the same turn of the event loop, so
 * that they share a transaction of the log, and one wake-up of the streams.
 */

export interface BatchClock {
  /** Calls `work` in a tick that is at most `tickMs` after `dueAt`, by `performance.now()`. Returns a function that cancels it. */
  at(dueAt: number, work: () => void): () => void
}

const tickMs = 10

export function createBatchClock(): BatchClock {
  const ticks = new Map<number, Set<() => void>>()
  let timer: NodeJS.Timeout | undefined
  let next = Infinity

  function schedule(): void {
    const first = Math.min(...ticks.keys())
    if (first === Infinity) {
      next = Infinity
    } else if (!timer || first < next) {
      clearTimeout(timer)
      next = first
      timer = setTimeout(tick, Math.max(1, first * tickMs - performance.now()))
    }
  }

  function tick(): void {
    timer = undefined
    const now = Math.floor(performance.now() / tickMs)
    for (const [number, works] of ticks) {
      if (number > now) continue
      ticks.delete(number)
      for (const work of works) work()
    }
    schedule()
  }

  return {
    at(dueAt, work) {
      const number = Math.ceil(dueAt / tickMs)
      const works = ticks.get(number) ?? new Set()
      ticks.set(number, works.add(work))
      if (number < next) schedule()
      return () => works.delete(work)
    },
  }
}
