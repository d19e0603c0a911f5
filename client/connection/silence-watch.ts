/** Notices that a connection has become silent. A socket may not report a dead connection for hours. */
import { longestTimeoutMs } from '@/protocol/duration'

export interface SilenceWatch {
  /** Notes a sign of life. */
  seen: () => void
  /** From now on, calls `onSilent` once there was no sign of life for `limitMs`. */
  start: (limitMs: number) => void
  /** Checks now, without waiting for the timer. */
  check: () => void
  stop: () => void
}

/** What arrived while the page was suspended is handled within this time. */
const graceMs = 2_000

/** Compares times, because a timer of a page in the background may be late by minutes, or by a night. */
export function createSilenceWatch(onSilent: (limitMs: number) => void): SilenceWatch {
  let lastSeenAt: number | undefined
  let limitMs: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  function check(dueAt = Infinity): void {
    clearTimeout(timer)
    if (limitMs === undefined || lastSeenAt === undefined) return
    const now = Date.now()
    const leftMs = lastSeenAt + limitMs - now
    const wasSuspended = now - dueAt > graceMs
    if (leftMs <= 0 && !wasSuspended) {
      onSilent(limitMs)
      return
    }
    const waitMs = Math.min(longestTimeoutMs, Math.max(leftMs, graceMs))
    timer = setTimeout(() => check(now + waitMs), waitMs)
  }

  return {
    seen() {
      lastSeenAt = Date.now()
    },
    start(ms) {
      limitMs = ms
      check()
    },
    check: () => check(),
    stop() {
      limitMs = undefined
      clearTimeout(timer)
    },
  }
}
