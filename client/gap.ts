/** A gap: the stream could not go on where it was asked to, and events may be missing before the next one. A `resync` announces it. */
import type { ControlEvents } from '@/protocol/control-events'
import { parseJsonObject } from '@/protocol/json'

type Resync = ControlEvents['resync']

/**
 * Events of `topics` after `from` and before `oldest` may be lost. `oldest` is null when the log keeps no events; `topics` is empty when
 * the server names none. `trimmed`: the log no longer keeps these events. `epoch`: the log was started again, empty or from a copy.
 * `future`: the log has not got that far.
 */
export interface Gap extends Omit<Resync, 'topics'> {
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
