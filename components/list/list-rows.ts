/**
 * The rows of the list: its events, and among them the gaps where they happened. Nothing is copied, so that a list of ten thousand
 * costs a frame no more than one of ten.
 */
import { lowerBound, placeOf } from '@/client/connection/event-picker'
import type { GapMark } from '@/client/stream-state'
import type { TopicEvent } from '@/hooks/use-topics'

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
  const gapRows = gaps.map(({ beforeSeq }, index) => placeOf(events, beforeSeq) + index)

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
      const place = placeOf(events, seq)
      if (events[place]?.seq !== seq) return undefined
      return place + gaps.filter(({ beforeSeq }) => beforeSeq <= seq).length
    },
  }
}
