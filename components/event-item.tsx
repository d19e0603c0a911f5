/** One event on the tape: what it says, when it came, what it is, and how long until the next. */
import { memo, type ReactNode } from 'react'
import type { ReceivedEvent } from '@/hooks/event-source-client'
import { formatDuration } from './duration'
import styles from './event-tape.module.css'
import { BeadIcon } from './icons'

interface EventItemProps {
  event: ReceivedEvent
  /** When the event after it came, if one did: milliseconds since the Unix epoch. */
  nextAt: number | undefined
}

// An arrival changes the last two items; memo leaves the up to 998 before them alone.
export const EventItem = memo(function EventItem({ event, nextAt }: EventItemProps): ReactNode {
  const receivedAt = new Date(event.receivedAt)

  return (
    <li className={styles.item}>
      <span className={styles.node}>
        <BeadIcon />
      </span>
      <span className={styles.says}>{messageOf(event.data)}</span>
      <time className={styles.when} dateTime={receivedAt.toISOString()}>
        {timeOfDay(receivedAt)}
      </time>
      <span className={styles.meta}>
        {event.type}
        {event.id && ` · id ${event.id}`}
      </span>
      {nextAt !== undefined && (
        <span className={styles.later}>{formatDuration(nextAt - event.receivedAt)} later</span>
      )}
    </li>
  )
})

/** What a greeting says, or the data as it came if it is not a greeting. */
function messageOf(data: string): string {
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value === 'object' && value !== null && 'message' in value) {
      if (typeof value.message === 'string') return value.message
    }
  } catch {
    // An event's data need not be JSON.
  }
  return data
}

/** Local, as `14:03:21.004`. */
function timeOfDay(date: Date): string {
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
