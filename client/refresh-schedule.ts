/**
 * Decides when the parts of a page are refreshed: all outdated parts together, one refresh at a time, at most one start a second, and
 * none while the page is hidden. A part that becomes outdated during a refresh is refreshed again afterwards, so that a slow page
 * shows news too: a plain throttle would start the next refresh before the last one has shown anything.
 */
import { backoffMs } from '@/client/connection/backoff'

/** A part of the page that shows what the server knew when the part was made. */
export interface RefreshedPart {
  /** Brings the part up to date. The refresh lasts until the promise settles. */
  refresh: () => unknown
  /** Parts with the same key are refreshed by one call, of any of them. */
  key: unknown
  /** False while the server can't be reached: a refresh would fail then. */
  isReady: () => boolean
}

export interface ScheduledPart {
  /** Notes that the part is outdated. It is refreshed in `delayMs` at the earliest. Default: as soon as possible. */
  mark: (delayMs?: number) => void
  /** Looks again whether a refresh can start, because `isReady` may have changed. */
  look: () => void
  /** Forgets the part. */
  remove: () => void
}

export interface RefreshSchedule {
  add: (part: RefreshedPart) => ScheduledPart
}

const betweenStartsMs = 1_000
/** Parts with streams of their own hear of an event one after another. Waiting this long refreshes them together. */
const gatherMs = 50
/** A refresh that takes longer than this holds up the others no more. */
const longestMs = 60_000

export function createRefreshSchedule(): RefreshSchedule {
  /** When each part can be refreshed, as `performance.now()` counts; undefined while it is up to date. */
  const parts = new Map<RefreshedPart, number | undefined>()
  let isRefreshing = false
  let nextStartAt = -Infinity
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function look(): void {
    clearTimeout(timer)
    if (isRefreshing || document.hidden) return
    const dueAt = Math.min(...outdated().map((part) => parts.get(part) ?? Infinity))
    if (dueAt === Infinity) return
    const waitMs = Math.max(dueAt, nextStartAt) - performance.now()
    if (waitMs > 0) timer = setTimeout(look, waitMs)
    else void refresh()
  }

  function outdated(): RefreshedPart[] {
    return [...parts.keys()].filter((part) => parts.get(part) !== undefined && part.isReady())
  }

  async function refresh(): Promise<void> {
    isRefreshing = true
    const startedAt = performance.now()
    const refreshed = outdated()
    // What happens from now on, the refresh may miss.
    for (const part of refreshed) parts.set(part, undefined)
    const byKey = new Map(refreshed.map((part) => [part.key, part]))
    const failed = await settle([...byKey.values()])
    isRefreshing = false
    failures = failed.length > 0 ? failures + 1 : 0
    nextStartAt = startedAt + betweenStartsMs
    if (failures > 0) nextStartAt = Math.max(nextStartAt, performance.now() + backoffMs(failures))
    for (const part of refreshed) {
      if (failed.includes(part.key)) mark(part)
    }
    look()
  }

  /** Keeps the earliest time: the part is outdated since then. */
  function mark(part: RefreshedPart, delayMs = 0): void {
    if (!parts.has(part)) return
    parts.set(
      part,
      Math.min(parts.get(part) ?? Infinity, performance.now() + Math.max(delayMs, gatherMs)),
    )
  }

  return {
    add(part) {
      if (parts.size === 0) document.addEventListener('visibilitychange', look)
      parts.set(part, undefined)
      return {
        mark(delayMs) {
          mark(part, delayMs)
          look()
        },
        look,
        remove() {
          parts.delete(part)
          if (parts.size > 0) return
          clearTimeout(timer)
          document.removeEventListener('visibilitychange', look)
        },
      }
    },
  }
}

/** Refreshes the parts. Returns the keys of those that failed; their errors are reported as uncaught. */
async function settle(parts: readonly RefreshedPart[]): Promise<unknown[]> {
  const failed: unknown[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, longestMs)
  })
  const all = parts.map(async ({ refresh, key }) => {
    try {
      await refresh()
    } catch (cause) {
      failed.push(key)
      reportError(cause)
    }
  })
  await Promise.race([Promise.all(all), tooLong])
  clearTimeout(timer)
  return failed
}
