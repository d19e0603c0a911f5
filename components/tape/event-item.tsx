/** One event on the tape: its text, time, type and id, and how long until the next one. */
import { memo, type ReactNode } from 'react'
import { formatDuration, formatId } from '@/components/ui/format'
import { BeadIcon } from '@/components/ui/icons'
import { TimeOfDay } from '@/components/ui/time-of-day'
import styles from './event-tape.module.css'

interface EventItemProps {
  type: string
  id: string
  text: string
  /** Milliseconds since the Unix epoch. */
  time: number
  /** The time of the next event, if the time between them should be shown. */
  nextTime?: number | undefined
}

// A new event changes only the last two items; `memo` skips the others, of which there may be 998.
export const EventItem = memo(function EventItem({
  type,
  id,
  text,
  time,
  nextTime,
}: EventItemProps): ReactNode {
  return (
    <li className={styles.item}>
      <span className={styles.node}>
        <BeadIcon />
      </span>
      <span className={styles.says}>{text}</span>
      <TimeOfDay time={time} className={styles.when} />
      <span className={styles.meta}>
        <span className={styles.type} data-type={type}>
          {type}
        </span>
        {id && (
          <span className={styles.id}>
            <span className={styles.label}> · id </span>
            {formatId(id)}
          </span>
        )}
      </span>
      {nextTime !== undefined && (
        <span className={styles.later}>{formatDuration(nextTime - time)} later</span>
      )}
    </li>
  )
})
