'use client'
/**
 * A topic's events in rows, newest last. The list follows the newest event, stays still while the reader looks back, filters, and opens a
 * row to show its data. Only the visible rows are rendered.
 */
import { useMemo, useRef, useState, type ReactNode } from 'react'
import type { TopicEvent } from 'next-sse/react'
import { EmptyNote } from '@/components/stream/empty-note'
import { isAwaiting, phaseOf } from '@/components/stream/phase'
import type { Stream } from '@/components/stream/stream'
import type { StreamWords } from '@/components/stream/stream-words'
import styles from './event-list.module.css'
import { EventRows } from './event-rows'
import { ListFoot } from './list-foot'
import { ListHead } from './list-head'
import { ListNews } from './list-news'
import { listRows } from './list-rows'
import { indexFrom } from './lower-bound'
import { NoMatch } from './no-match'
import { useFilter } from './use-filter'
import { useFollowingList } from './use-following-list'
import { useListKeys } from './use-list-keys'
import { useRowSizes } from './use-row-sizes'

interface EventListProps {
  stream: Stream<TopicEvent>
  /** The topics of the stream. */
  topics: readonly string[]
  words: StreamWords
}

export function EventList({ stream, topics, words }: EventListProps): ReactNode {
  const { events: all, gaps } = stream
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const [active, setActive] = useState<number>()
  const field = useRef<HTMLInputElement>(null)
  const filter = useFilter(all)
  const { events } = filter
  const rows = useMemo(() => listRows(events, gaps), [events, gaps])

  const { scroller, virtualizer, heldSince, follow, hold, reveal, revealDrawn } = useFollowingList({
    ...useRowSizes(rows, open),
    count: rows.count,
    newestSeq: all.at(-1)?.seq ?? 0,
    pinned: active === undefined ? undefined : rows.indexOf(active),
  })
  const keys = useListKeys({
    rows,
    scroller,
    active,
    setActive,
    rangeOf: () => virtualizer.range,
    reveal,
    follow,
    hold,
    focusFilter: () => field.current?.focus(),
    clearFilter: () => filter.setText(''),
  })

  function toggle(seq: number): void {
    const next = new Set(open)
    if (!next.delete(seq)) {
      next.add(seq)
      hold()
      // After the row was rendered and measured.
      requestAnimationFrame(() => {
        const row = scroller.current?.querySelector(`li:has([data-seq="${seq}"])`)
        if (row) revealDrawn(row)
      })
    }
    setOpen(next)
  }

  const lastVisible = rows.at(virtualizer.range?.endIndex ?? rows.count - 1)?.event?.seq ?? 0
  const seen = Math.max(heldSince ?? Infinity, lastVisible)

  return (
    <div className={styles.view}>
      <ListHead field={field} filter={filter} stream={stream} virtualizer={virtualizer} />
      <div
        ref={scroller}
        role="log"
        aria-label="Events"
        // A screen reader would never finish reading a busy topic.
        aria-live="off"
        className={`${styles.scroller} ${isAwaiting(phaseOf(stream)) ? styles.waiting : ''}`}
        {...keys}
      >
        {rows.count > 0 && (
          <EventRows
            stream={stream}
            topics={topics}
            rows={rows}
            eventCount={events.length}
            virtualizer={virtualizer}
            pattern={filter.pattern}
            open={open}
            onToggle={toggle}
          />
        )}
        {all.length > 0 && events.length === 0 && <NoMatch stream={stream} filter={filter} />}
        {all.length === 0 && rows.count === 0 && <EmptyNote stream={stream} words={words} />}
      </div>
      <ListNews newest={all.at(-1)} />
      <ListFoot
        stream={stream}
        words={words}
        isFollowing={heldSince === undefined}
        unseen={events.length - indexFrom(events, seen + 1)}
        onFollow={follow}
        onHold={hold}
      />
    </div>
  )
}
