/** A stream's events along a line, oldest first, with the stream's state at its end. Only events are list items. */
import type { ReactNode } from 'react'
import type { StreamEvent } from 'next-sse/react'
import { isAwaiting, phaseOf } from '@/components/stream/phase'
import type { Stream } from '@/components/stream/stream'
import { StreamTail } from '@/components/stream/stream-tail'
import type { StreamWords } from '@/components/stream/stream-words'
import { SecondsSince } from '@/components/ui/seconds'
import styles from './event-tape.module.css'
import { TapeRows } from './tape-rows'

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
  const since = Math.max(stream.openedAt ?? 0, stream.events.at(-1)?.receivedAt ?? 0)

  return (
    <div className={`${styles.tape} ${isAwaiting(phaseOf(stream)) ? styles.waiting : ''}`}>
      <div role="log" aria-label="Events">
        <TapeRows stream={stream} renderEvent={renderEvent} />
      </div>
      <StreamTail stream={stream} words={words} when={<SecondsSince moment={since} />} />
    </div>
  )
}
