/** A local time of day. Its seconds stand out, because they differ from event to event. */
import type { ReactNode } from 'react'
import { timeOfDay } from './format'

interface TimeOfDayProps {
  /** Milliseconds since the Unix epoch. */
  time: number
  className: string | undefined
}

export function TimeOfDay({ time, className }: TimeOfDayProps): ReactNode {
  const [minutes, seconds] = timeOfDay(time)
  return (
    <time className={className} dateTime={new Date(time).toISOString()}>
      {minutes}
      <b>{seconds}</b>
    </time>
  )
}
