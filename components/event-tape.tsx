/** A stream's events on one line, oldest first, and at its end what happens now. Only events are list items. */
import type { ReactNode } from 'react'
import type { StreamEvent } from '@/hooks/stream-state'
import styles from './event-tape.module.css'
import { phaseOf } from './phase'
import type { Stream } from './stream'
import type { StreamWords } from './stream-words'
import { TapeRows } from './tape-rows'
import { TapeTail } from './tape-tail'

interface EventTapeProps<E extends StreamEvent> {
  stream: Stream<E>
  words: StreamWords
  renderEvent: (event: E, next: E | undefined) => ReactNode
}

export function EventTape<E extends StreamEvent>({
  stream,
  words,
  renderEvent,
}: EventTapeProps<E>): ReactNode {
  const phase = phaseOf(stream)
  const isAwaiting = phase === 'connecting' || phase === 'live'

  return (
    <div className={`${styles.tape} ${isAwaiting ? styles.waiting : ''}`}>
      <div role="log" aria-label="Events">
        <TapeRows stream={stream} renderEvent={renderEvent} />
      </div>
      <TapeTail stream={stream} words={words} />
    </div>
  )
}
