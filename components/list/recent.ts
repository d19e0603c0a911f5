/** Which events have just come. Where many come none has: nothing should move all the time. */
import type { TopicEvent } from '@/hooks/use-topics'

const newForMs = 2_000
const busyPerSecond = 5

/** The `seq` from which on events are new; Infinity while the list is busy, or as it begins. */
export function newFromOf(events: readonly TopicEvent[]): number {
  const newest = events.at(-1)
  const other = events.at(-1 - busyPerSecond)
  if (!newest || (other && newest.receivedAt - other.receivedAt < 1_000)) return Infinity
  const since = newest.receivedAt - newForMs
  const before = events
    .slice(-1 - busyPerSecond * 2)
    .findLast(({ receivedAt }) => receivedAt <= since)
  return (before?.seq ?? newest.seq - 1) + 1
}
