/** What a `resync` tells: the stream could not go on where it was asked to, and events may be missing before the next one. */
import type { ControlEvents } from '@/events/control-events'

/**
 * Events after `from` and before `oldest` may be lost; `oldest` is null when the log keeps none.
 * `trimmed`: the log no longer keeps them. `epoch`: it was started anew. `future`: it has not got that far.
 */
export type Gap = ControlEvents['resync']

const reasons: readonly unknown[] = ['trimmed', 'epoch', 'future'] satisfies Gap['reason'][]

/** The gap, or undefined when `data` does not tell one. */
export function parseGap(data: string): Gap | undefined {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return undefined
  }
  return isGap(value) ? value : undefined
}

function isGap(value: unknown): value is Gap {
  if (typeof value !== 'object' || value === null) return false
  const { reason, from, oldest } = value as Partial<Record<keyof Gap, unknown>>
  return (
    reasons.includes(reason) &&
    typeof from === 'string' &&
    (typeof oldest === 'string' || oldest === null)
  )
}
