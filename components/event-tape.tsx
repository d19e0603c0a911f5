'use client'
/** A stream's events on one line, oldest first, and at its end what happens now. Only events are list items. */
import type { ReactNode } from 'react'
import type { StreamEvent } from '@/hooks/event-source-client'
import styles from './event-tape.module.css'
import { phaseOf } from './phase'
import type { Stream } from './stream'
import type { StreamWords } from './stream-words'
import { TapeRows } from './tape-rows'
import { TapeTail } from './tape-tail'
import { useFollowing } from './use-following'

interface EventTapeProps<E extends StreamEvent> {
  stream: Stream<E>
  words: StreamWords
  renderEvent: (event: E, next: E | undefined) => ReactNode
  /**
   * `calm` for a few events, each with air around it. `dense` for many, in rows: fills the height it is given, scrolls, and stays with
   * the newest while its reader does.
   */
  look?: 'calm' | 'dense'
  /** Stands in the place of the events while there are none. */
  whenEmpty?: ReactNode
}

export function EventTape<E extends StreamEvent>({
  stream,
  words,
  renderEvent,
  look = 'calm',
  whenEmpty,
}: EventTapeProps<E>): ReactNode {
  const isDense = look === 'dense'
  const phase = phaseOf(stream)
  const isAwaiting = phase === 'connecting' || phase === 'live'
  const isEmpty = stream.events.length === 0 && stream.gaps.length === 0
  const following = useFollowing()

  return (
    <div className={`${styles.tape} ${styles[look]} ${isAwaiting ? styles.waiting : ''}`}>
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
        <TapeRows stream={stream} renderEvent={renderEvent} />
        {isEmpty && whenEmpty}
      </div>
      <TapeTail stream={stream} words={words} />
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
