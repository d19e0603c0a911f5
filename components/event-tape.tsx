/** A stream's events on one line, oldest first, and at its end what happens now. Only events are list items. */
import type { ReactNode } from 'react'
import type { StreamState } from '@/hooks/event-source-client'
import { EventItem } from './event-item'
import styles from './event-tape.module.css'
import { isRunning, phaseOf } from './phase'
import { TapeTail } from './tape-tail'

export function EventTape({ stream }: { stream: StreamState }): ReactNode {
  const { events } = stream
  const waiting = isRunning(phaseOf(stream))

  return (
    <div className={`${styles.tape} ${waiting ? styles.waiting : ''}`}>
      <div role="log" aria-label="Events">
        <ol>
          {events.map((event, index) => (
            <EventItem key={event.seq} event={event} nextAt={events[index + 1]?.receivedAt} />
          ))}
        </ol>
      </div>
      <TapeTail stream={stream} />
    </div>
  )
}
