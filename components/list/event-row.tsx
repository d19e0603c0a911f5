/** One event as a row of the list, which opens to show everything about it. */
import { memo, type ReactNode } from 'react'
import type { TopicEvent } from 'next-sse/react'
import a11y from '@/components/ui/a11y.module.css'
import { formatId } from '@/components/ui/format'
import { TimeOfDay } from '@/components/ui/time-of-day'
import { EventDetail } from './event-detail'
import styles from './event-rows.module.css'
import { MarkedText } from './marked-text'

/** More characters than fit in a row: the browser would lay out all of them. */
const maxShown = 500

interface EventRowProps {
  event: TopicEvent
  pattern: RegExp | undefined
  isOpen: boolean
  onToggle: () => void
  clockOffsetMs: number | undefined
}

export function EventRow({
  event,
  pattern,
  isOpen,
  onToggle,
  clockOffsetMs,
}: EventRowProps): ReactNode {
  return (
    <>
      <button
        type="button"
        className={styles.row}
        // The list is one tab stop; the arrow keys move between the rows.
        tabIndex={-1}
        data-seq={event.seq}
        aria-expanded={isOpen}
        onClick={onToggle}
      >
        <RowFacts event={event} pattern={pattern} />
      </button>
      {isOpen && <EventDetail event={event} clockOffsetMs={clockOffsetMs} />}
    </>
  )
}

// A new event moves all the other rows, but does not change what they show.
const RowFacts = memo(function RowFacts({
  event: { type, id, data, time },
  pattern,
}: Pick<EventRowProps, 'event' | 'pattern'>): ReactNode {
  return (
    <>
      <span className={styles.bead} />
      <TimeOfDay time={time} className={styles.time} />{' '}
      <span className={styles.type} data-type={type}>
        <MarkedText text={type} pattern={pattern} />
      </span>{' '}
      <span className={styles.text}>
        <MarkedText text={oneLine(data)} pattern={pattern} />
      </span>
      {id && (
        <span className={styles.id}>
          <span className={a11y.visuallyHidden}> id </span>
          <MarkedText text={formatId(id)} pattern={pattern} />
        </span>
      )}
    </>
  )
})

function oneLine(data: string): string {
  return data.slice(0, maxShown).replaceAll(/\r\n?|\n/g, ' ')
}
