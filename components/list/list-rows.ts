/**
 * The rows of the list: its events, and among them the gaps where they happened. Nothing is copied, so that a list of ten thousand
 * costs a frame no more than one of ten.
 */
import type { GapMark, TopicEvent } from 'next-sse/react'
import { indexFrom, lowerBound } from './lower-bound'

type ListRow =
  | { event: TopicEvent; gap?: never; place: number }
  | { event?: never; gap: GapMark; place?: never }

export interface ListRows {
  count: number
  /** What stands there; `place` counts the events alone, from 0. */
  at: (index: number) => ListRow | undefined
  /** Where the event stands, or undefined when it is not in the list. */
  indexOf: (seq: number) => number | undefined
}

export function listRows(events: readonly TopicEvent[], marks: readonly GapMark[]): ListRows {
  // A gap goes with the events around it.
  const oldest = events[0]?.seq ?? 0
  const gaps = marks.filter(({ beforeSeq }) => beforeSeq >= oldest)
  const gapRows = gaps.map(({ beforeSeq }, index) => indexFrom(events, beforeSeq) + index)

  return {
    count: events.length + gaps.length,
    at(index) {
      const before = lowerBound(gapRows.length, (at) => gapRows[at] ?? 0, index)
      const gap = gapRows[before] === index ? gaps[before] : undefined
      if (gap) return { gap }
      const place = index - before
      const event = events[place]
      return event && { event, place }
    },
    indexOf(seq) {
      const place = indexFrom(events, seq)
      if (events[place]?.seq !== seq) return undefined
      return place + gaps.filter(({ beforeSeq }) => beforeSeq <= seq).length
    },
  }
}

const newForMs = 2_000
const busyPerSecond = 5

/** Events from this `seq` on came within the last two seconds. Infinity while many come, or none: then nothing should move. */
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
