/** Holds back values of types of which only the newest matters, such as progress: each type is passed on at most so often. */
import type { EncodedValue } from './run-values'

export interface Sampler {
  /** Passes on the value now, or later, or never if a newer one of its type comes first. What is held goes before the value. */
  push(value: EncodedValue): void
  /** Passes on everything that is held. */
  flush(): void
  /** Drops everything that is held. */
  close(): void
}

/** `everyMs`: for each sampled type, how long to wait between two values, in milliseconds. Other types are passed on at once. */
export function createSampler(
  everyMs: Readonly<Record<string, number>>,
  passOn: (value: EncodedValue) => void,
): Sampler {
  const intervals = new Map(Object.entries(everyMs))
  const held = new Map<string, EncodedValue>()
  const passedAt = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  function pass(value: EncodedValue): void {
    if (intervals.has(value.type)) passedAt.set(value.type, performance.now())
    passOn(value)
  }

  function leftMsOf(type: string): number {
    const interval = intervals.get(type)
    if (interval === undefined) return 0
    return (passedAt.get(type) ?? -Infinity) + interval - performance.now()
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const values = [...held.values()]
    held.clear()
    for (const value of values) pass(value)
  }

  return {
    push(value) {
      const leftMs = leftMsOf(value.type)
      // Deleted first, so that held values stay in the order in which they came.
      held.delete(value.type)
      if (leftMs > 0) {
        held.set(value.type, value)
        timer ??= setTimeout(flush, leftMs)
      } else {
        if (held.size > 0) flush()
        pass(value)
      }
    },
    flush,
    close() {
      clearTimeout(timer)
      held.clear()
    },
  }
}
