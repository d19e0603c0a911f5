/**
 * The rows of the list: its events, with the gaps between them. Rows are looked up and never copied, so that ten thousand events cost a
 * frame no more than ten.
 */
import type { GapMark, TopicEvent } from 'next-sse/react'
import { indexFrom, lowerBound } from './lower-bound'

type ListRow =
  | { event: TopicEvent; gap?: never; eventIndex: number }
  | { event?: never; gap: GapMark; eventIndex?: never }

export interface ListRows {
  count: number
  /** The row at an index. `eventIndex` counts only the events, from 0. */
  at: (index: number) => ListRow | undefined
  /** The row of an event, or undefined when it is not in the list. */
  indexOf: (seq: number) => number | undefined
}

export function listRows(events: readonly TopicEvent[], marks: readonly GapMark[]): ListRows {
  // A gap is dropped together with the events around it.
  const oldest = events[0]?.seq ?? 0
  const gaps = marks.filter(({ beforeSeq }) => beforeSeq >= oldest)
  const gapRows = gaps.map(({ beforeSeq }, index) => indexFrom(events, beforeSeq) + index)

  return {
    count: events.length + gaps.length,
    at(index) {
      const gapsBefore = lowerBound(gapRows.length, (at) => gapRows[at] ?? 0, index)
      const gap = gapRows[gapsBefore] === index ? gaps[gapsBefore] : undefined
      if (gap) return { gap }
      const eventIndex = index - gapsBefore
      const event = events[eventIndex]
      return event && { event, eventIndex }
    },
    indexOf(seq) {
      const eventIndex = indexFrom(events, seq)
      if (events[eventIndex]?.seq !== seq) return undefined
      return eventIndex + gaps.filter(({ beforeSeq }) => beforeSeq <= seq).length
    },
  }
}

const newForMs = 2_000
const busyPerSecond = 5

/** The `seq` of the first event of the last two seconds. Infinity without events, and while many come: then nothing should be animated. */
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
