/** How long to wait before the next attempt: exponential backoff with full jitter, so that many readers do not reconnect together. */
import { longestTimeoutMs } from '@/protocol/duration'

const baseMs = 1_000
const capMs = 30_000
const leastMs = 250

/** Milliseconds to wait after `failures` failed attempts: random between 250 ms and 1 s · 2ⁿ⁻¹, at most 30 s, but never less than the server asked for. */
export function backoffMs(failures: number, askedMs = 0, random = Math.random): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.max(0, failures - 1))
  const ownMs = Math.round(leastMs + random() * (ceilingMs - leastMs))
  return Math.min(longestTimeoutMs, Math.max(askedMs, ownMs))
}
