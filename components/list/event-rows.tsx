/** The visible rows, each at its position in the whole list. */
import { Fragment, type ReactNode } from 'react'
import type { ReactVirtualizer } from '@tanstack/react-virtual'
import type { TopicEvent } from 'next-sse/react'
import { GapLine } from '@/components/stream/gap-line'
import type { Stream } from '@/components/stream/stream'
import { EventRow } from './event-row'
import styles from './event-rows.module.css'
import { newFromOf, type ListRows } from './list-rows'

interface EventRowsProps {
  stream: Stream<TopicEvent>
  topics: readonly string[]
  rows: ListRows
  /** How many of the rows are events. */
  eventCount: number
  virtualizer: ReactVirtualizer<HTMLDivElement, HTMLElement>
  pattern: RegExp | undefined
  open: ReadonlySet<number>
  onToggle: (seq: number) => void
}

export function EventRows(props: EventRowsProps): ReactNode {
  const { stream, topics, rows, eventCount, virtualizer, pattern, open, onToggle } = props
  const newFrom = newFromOf(stream.events)
  const { measureElement } = virtualizer
  // A gap is not an event: it stands between two lists and belongs to neither.
  const parts: { key: string; gap?: ReactNode; items: ReactNode[] }[] = []

  for (const { index, start } of virtualizer.getVirtualItems()) {
    const { event, gap, eventIndex = 0 } = rows.at(index) ?? {}
    const style = { transform: `translateY(${start}px)` }
    if (gap) {
      const line = (
        <div className={styles.place} style={style} data-index={index} ref={measureElement}>
          <GapLine gap={gap} topics={topics} />
        </div>
      )
      parts.push({ key: `gap ${gap.beforeSeq} ${gap.from}`, gap: line, items: [] })
      continue
    }
    if (!event) continue
    const key = `list ${index - eventIndex}`
    if (parts.at(-1)?.key !== key) parts.push({ key, items: [] })
    const isOpen = open.has(event.seq)
    parts.at(-1)?.items.push(
      <li
        key={event.seq}
        aria-posinset={eventIndex + 1}
        aria-setsize={eventCount}
        className={styles.place}
        style={style}
        data-index={index}
        data-open={isOpen || undefined}
        data-new={event.seq >= newFrom || undefined}
        // Only open rows are measured: the height of a closed row is known.
        ref={isOpen ? measureElement : undefined}
      >
        <EventRow
          event={event}
          pattern={pattern}
          isOpen={isOpen}
          onToggle={() => onToggle(event.seq)}
          clockOffsetMs={stream.clockOffsetMs}
        />
      </li>,
    )
  }

  return (
    <div className={styles.rows} style={{ height: virtualizer.getTotalSize() }}>
      {parts.map(({ key, gap, items }) =>
        gap ? <Fragment key={key}>{gap}</Fragment> : <ol key={key}>{items}</ol>,
      )}
    </div>
  )
}
