'use client'
/**
 * A topic's events in rows, newest last: follows them, holds still while its reader looks back, filters, and opens each to its data. Of
 * the rows only those in sight exist.
 */
import { useCallback, useMemo, useRef, useState, type ReactNode } from 'react'
import { placeOf } from '@/hooks/event-picker'
import type { TopicEvent } from '@/hooks/use-topics'
import { EmptyNote } from './empty-note'
import styles from './event-list.module.css'
import { EventRows } from './event-rows'
import { ListFoot } from './list-foot'
import { ListNews } from './list-news'
import { listRows } from './list-rows'
import { ListTools } from './list-tools'
import { createMatching, patternOf } from './matching'
import { NoMatch } from './no-match'
import { phaseOf } from './phase'
import { newFromOf } from './recent'
import type { Stream } from './stream'
import type { StreamWords } from './stream-words'
import { useDebounced } from './use-debounced'
import { useFollowingList } from './use-following-list'
import { useListKeys } from './use-list-keys'
import { useRowHeight } from './use-row-height'

/** A guess, until an open row is drawn and measured. */
const detailPx = 160
const gapPx = 36

interface EventListProps {
  stream: Stream<TopicEvent>
  words: StreamWords
}

export function EventList({ stream, words }: EventListProps): ReactNode {
  const [filter, setFilter] = useState('')
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const [active, setActive] = useState<number>()
  const field = useRef<HTMLInputElement>(null)
  const rowPx = useRowHeight()

  const query = useDebounced(filter, 100)
  const pattern = useMemo(() => patternOf(query), [query])
  const match = useMemo(() => createMatching(query), [query])
  const { events: all, gaps, dropped, clockOffsetMs } = stream
  const events = useMemo(() => match(all), [match, all])
  const rows = useMemo(() => listRows(events, gaps), [events, gaps])

  const sizeOf = (index: number): number => {
    const event = rows.at(index)?.event
    if (!event) return gapPx
    return open.has(event.seq) ? rowPx + detailPx : rowPx
  }
  // An open row is another than it was closed, and so is one on a narrower page: what was measured holds no more.
  const keyOf = useCallback(
    (index: number) => {
      const { event, gap } = rows.at(index) ?? {}
      if (!event) return `gap ${gap?.beforeSeq} ${gap?.from} ${rowPx}`
      return open.has(event.seq) ? `open ${event.seq} ${rowPx}` : event.seq
    },
    [rows, open, rowPx],
  )
  const { scroller, virtualizer, heldSince, follow, hold, reveal } = useFollowingList({
    count: rows.count,
    keyOf,
    sizeOf,
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
    toFilter: () => field.current?.focus(),
    clearFilter: () => setFilter(''),
  })

  function toggle(seq: number): void {
    const next = new Set(open)
    if (!next.delete(seq)) {
      next.add(seq)
      hold()
    }
    setOpen(next)
  }

  const inSight = rows.at(virtualizer.range?.endIndex ?? rows.count - 1)?.event?.seq ?? 0
  const seen = Math.max(heldSince ?? Infinity, inSight)
  const isWaiting = ['connecting', 'live'].includes(phaseOf(stream))

  return (
    <div className={styles.view}>
      <ListTools
        field={field}
        filter={filter}
        onFilter={setFilter}
        matching={pattern && events.length}
        count={all.length}
        dropped={dropped}
      />
      <div className={styles.heads} aria-hidden="true">
        <span>Time</span>
        <span>Type</span>
        <span>Data</span>
        <span>Id</span>
      </div>
      <div
        ref={scroller}
        role="log"
        aria-label="Events"
        // A busy topic read aloud would never end.
        aria-live="off"
        className={`${styles.scroller} ${isWaiting ? styles.waiting : ''}`}
        {...keys}
      >
        {rows.count > 0 && (
          <EventRows
            rows={rows}
            eventCount={events.length}
            virtualizer={virtualizer}
            pattern={pattern}
            open={open}
            onToggle={toggle}
            newFrom={newFromOf(all)}
            clockOffsetMs={clockOffsetMs}
          />
        )}
        {all.length > 0 && events.length === 0 && (
          <NoMatch stream={stream} query={query} onClear={() => setFilter('')} />
        )}
        {all.length === 0 && rows.count === 0 && <EmptyNote stream={stream} words={words} />}
      </div>
      <ListNews newest={all.at(-1)} />
      <ListFoot
        stream={stream}
        words={words}
        isFollowing={heldSince === undefined}
        unseen={events.length - placeOf(events, seen + 1)}
        onFollow={follow}
        onHold={hold}
      />
    </div>
  )
}
