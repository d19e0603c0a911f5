'use client'
/** A stream's events on one line, oldest first, and at its end what happens now. Only events are list items. */
import { Fragment, type ReactNode } from 'react'
import type { ReceivedEvent, StreamState } from '@/hooks/event-source-client'
import styles from './event-tape.module.css'
import { isRunning, phaseOf } from './phase'
import { TapeTail } from './tape-tail'
import { useFollowing } from './use-following'

interface EventTapeProps<E extends ReceivedEvent> {
  stream: Omit<StreamState, 'events'> & { events: readonly E[] }
  renderEvent: (event: E, next: E | undefined) => ReactNode
  /**
   * `calm` for a few events, each with air around it. `dense` for many, in rows: fills the height it is given, scrolls, and stays with
   * the newest while its reader does.
   */
  look?: 'calm' | 'dense'
  /** Stands in the place of the events while the stream is open and has brought none. */
  whenEmpty?: ReactNode
}

export function EventTape<E extends ReceivedEvent>({
  stream,
  renderEvent,
  look = 'calm',
  whenEmpty,
}: EventTapeProps<E>): ReactNode {
  const { events } = stream
  const isDense = look === 'dense'
  const phase = phaseOf(stream)
  const isEmpty = phase === 'live' && stream.received === 0 && events.length === 0
  const following = useFollowing()

  return (
    <div className={`${styles.tape} ${styles[look]} ${isRunning(phase) ? styles.waiting : ''}`}>
      <div
        role="log"
        aria-label="Events"
        // A busy topic read aloud would never end.
        {...(isDense && {
          ...following,
          'aria-live': 'off',
          tabIndex: 0,
          className: styles.scroller,
        })}
      >
        {isDense && <Heads />}
        <ol>
          {events.map((event, index) => (
            <Fragment key={event.seq}>{renderEvent(event, events[index + 1])}</Fragment>
          ))}
        </ol>
        {isEmpty && whenEmpty}
      </div>
      <TapeTail stream={stream} />
    </div>
  )
}

/** What the columns are. A reader who can't see them hears it from the rows themselves. */
function Heads(): ReactNode {
  return (
    <div className={styles.heads} aria-hidden="true">
      <span>Time</span>
      <span>Type</span>
      <span>Data</span>
      <span>Id</span>
    </div>
  )
}
