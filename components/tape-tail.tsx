/** The end of the tape: one sentence on what the stream does now, or how it ended. */
import type { ReactNode } from 'react'
import { Button } from './button'
import styles from './event-tape.module.css'
import { isWaiting, phaseOf } from './phase'
import { LineEndIcon } from './phase-icon'
import { SecondsSince } from './seconds-since'
import type { Stream } from './stream'
import { isCleared, type StreamWords } from './stream-words'

interface TapeTailProps {
  stream: Stream
  words: StreamWords
}

export function TapeTail({ stream, words }: TapeTailProps): ReactNode {
  const phase = phaseOf(stream)
  const since = phase === 'live' && !isCleared(stream) ? lastSignOfLife(stream) : undefined

  return (
    <p className={styles.tail} data-phase={phase}>
      <span className={styles.node}>
        <LineEndIcon phase={phase} />
      </span>
      <span className={styles.sentence}>{words.sentence}</span>
      {since !== undefined && (
        <span className={styles.when}>
          <SecondsSince key={since} since={since} />
        </span>
      )}
      {isWaiting(phase) && (
        // Stays, and keeps the focus, while an attempt is under way.
        <Button isSmall inactive={stream.status === 'connecting'} onClick={stream.reconnect}>
          Retry now
        </Button>
      )}
    </p>
  )
}

function lastSignOfLife({ events, openedAt = 0 }: Stream): number {
  return Math.max(openedAt, events.at(-1)?.receivedAt ?? 0)
}
