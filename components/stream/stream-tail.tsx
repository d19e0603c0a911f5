/** Stands under the events: one sentence on what the stream does now, or how it ended. */
import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import { isWaiting, phaseOf } from './phase'
import { LineEndIcon } from './phase-icon'
import type { Stream } from './stream'
import styles from './stream-tail.module.css'
import { isCleared, type StreamWords } from './stream-words'

interface StreamTailProps {
  stream: Stream
  words: StreamWords
  /** Added to the sentence while the stream is live. */
  lastSign?: ReactNode
  /** Shown at the right while the stream is live. */
  when?: ReactNode
}

export function StreamTail({ stream, words, lastSign, when }: StreamTailProps): ReactNode {
  const phase = phaseOf(stream)
  const isListening = phase === 'live' && !isCleared(stream)

  return (
    <p className={styles.tail} data-phase={phase}>
      <span className={styles.node}>
        <LineEndIcon phase={phase} />
      </span>
      <span className={styles.sentence}>
        {words.sentence}
        {isListening && lastSign}
      </span>
      {isListening && when && <span className={styles.when}>{when}</span>}
      {isWaiting(phase) && (
        // Stays in place during an attempt, so that it keeps the focus.
        <Button isSmall inactive={stream.status === 'connecting'} onClick={stream.reconnect}>
          Retry now
        </Button>
      )}
      {stream.error?.kind === 'reader' && (
        // Other parts of the page may show the other account's data too.
        <Button isSmall onClick={() => location.reload()}>
          Reload page
        </Button>
      )}
    </p>
  )
}
