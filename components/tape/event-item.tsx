/** One event on the tape: what it says, when that was, what it is, and how long until the next. */
import { memo, type ReactNode } from 'react'
import { formatDuration } from '@/components/ui/duration'
import styles from './event-tape.module.css'
import { BeadIcon } from '@/components/ui/icons'
import { offsetIn } from '@/components/ui/offset-in'

interface EventItemProps {
  type: string
  id: string
  text: string
  /** Milliseconds since the Unix epoch. */
  time: number
  /** The time of the event after it, if the reader should see how long that took. */
  nextTime?: number | undefined
}

// An arrival changes the last two items; memo leaves the up to 998 before them alone.
export const EventItem = memo(function EventItem({
  type,
  id,
  text,
  time,
  nextTime,
}: EventItemProps): ReactNode {
  const date = new Date(time)
  const [minutes, seconds] = timeOfDay(date)

  return (
    <li className={styles.item}>
      <span className={styles.node}>
        <BeadIcon />
      </span>
      <span className={styles.says}>{text}</span>
      <time className={styles.when} dateTime={date.toISOString()}>
        {minutes}
        <b>{seconds}</b>
      </time>
      <span className={styles.meta}>
        <span className={styles.type} data-type={type}>
          {type}
        </span>
        {id && (
          <span className={styles.id}>
            <span className={styles.label}> · id </span>
            {offsetIn(id)}
          </span>
        )}
      </span>
      {nextTime !== undefined && (
        <span className={styles.later}>{formatDuration(nextTime - time)} later</span>
      )}
    </li>
  )
})

/** Local, as `14:03:` and `21.004`. */
function timeOfDay(date: Date): [minutes: string, seconds: string] {
  const time = date.toTimeString()
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return [time.slice(0, 6), `${time.slice(6, 8)}.${ms}`]
}
