/** The callbacks to call when a log has grown. Every engine keeps its watchers here. */
import { journal } from '@/server/observe/journal'

export interface Watchers {
  /** Calls `onChange` with every `notify` until the signal aborts. */
  add(onChange: () => void, signal: AbortSignal): void
  /** Calls every watcher, even when one of them throws. */
  notify(): void
  /** Forgets every watcher. */
  end(): void
}

/** Calls `begin` when the first watcher is added, and the function that `begin` returned when the last one is removed. */
export function createWatchers(begin?: () => () => void): Watchers {
  const endings = new Map<() => void, () => void>()
  let stopBegun: (() => void) | undefined

  function remove(watcher: () => void): void {
    endings.get(watcher)?.()
    endings.delete(watcher)
    if (endings.size > 0) return
    stopBegun?.()
    stopBegun = undefined
  }

  return {
    add(onChange, signal) {
      if (signal.aborted) return
      // Wrapped in a new function, because the same `onChange` may be added twice.
      const watcher = (): void => onChange()
      const forget = (): void => remove(watcher)
      signal.addEventListener('abort', forget)
      endings.set(watcher, () => signal.removeEventListener('abort', forget))
      if (endings.size === 1) stopBegun = begin?.()
    },
    notify() {
      for (const watcher of endings.keys()) {
        try {
          watcher()
        } catch (error) {
          journal.error({ err: error }, 'A watcher of the event log failed.')
        }
      }
    },
    end() {
      for (const watcher of endings.keys()) remove(watcher)
    },
  }
}
