/** The events of a tape, in one list for each run of events without a gap. */
import { Fragment, type ReactNode } from 'react'
import type { StreamEvent } from 'next-sse/react'
import { GapLine } from '@/components/stream/gap-line'
import type { Stream } from '@/components/stream/stream'

interface TapeRowsProps<E extends StreamEvent> {
  stream: Stream<E>
  renderEvent: (event: E, next: E | undefined) => ReactNode
}

export function TapeRows<E extends StreamEvent>({
  stream: { events, gaps, dropped },
  renderEvent,
}: TapeRowsProps<E>): ReactNode {
  const parts: ReactNode[] = []
  let list: ReactNode[] = []
  let listKey = 'first'
  let gapIndex = 0
  const oldest = dropped > 0 ? (events[0]?.seq ?? 0) : 0

  function endList(): void {
    if (list.length > 0) parts.push(<ol key={listKey}>{list}</ol>)
    list = []
  }

  function addGapsUpTo(seq: number): void {
    for (let gap = gaps[gapIndex]; gap && gap.beforeSeq <= seq; gap = gaps[++gapIndex]) {
      const key = `${gap.beforeSeq} ${gap.from}`
      endList()
      // The key stays when the gap itself is dropped, so that React keeps the list.
      listKey = `after ${key}`
      if (gap.beforeSeq >= oldest) parts.push(<GapLine key={key} gap={gap} />)
    }
  }

  for (const [index, event] of events.entries()) {
    addGapsUpTo(event.seq)
    list.push(<Fragment key={event.seq}>{renderEvent(event, events[index + 1])}</Fragment>)
  }
  endList()
  addGapsUpTo(Infinity)
  return parts
}
