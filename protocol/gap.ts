/** A gap: reading could not continue at the requested place, so events may be missing before the next one. A `resync` announces it. */
import { parseJsonObject } from './json'

/**
 * Events of `topics` after `from` and before `oldest` may be lost. `oldest` is null when the log keeps no events; `topics` is empty when
 * the server names none. `trimmed`: the log no longer keeps these events. `epoch`: the log started over, empty or from a copy.
 * `future`: the log has not reached this place yet.
 */
export interface Gap {
  reason: 'trimmed' | 'epoch' | 'future'
  from: string
  oldest: string | null
  topics: readonly string[]
}

const reasons: readonly unknown[] = ['trimmed', 'epoch', 'future'] satisfies Gap['reason'][]

/** The gap, or undefined when `data` does not describe one. */
export function parseGap(data: string): Gap | undefined {
  const { reason, from, oldest, topics = [] } = parseJsonObject(data) ?? {}
  const isGap =
    reasons.includes(reason) &&
    typeof from === 'string' &&
    (typeof oldest === 'string' || oldest === null) &&
    Array.isArray(topics) &&
    topics.every((topic) => typeof topic === 'string')
  return isGap ? ({ reason, from, oldest, topics } as Gap) : undefined
}
