/** The stream's phase in a word, announced when it changes. The countdown is hidden from screen readers, which would never stop reading it. */
import type { ReactNode } from 'react'
import { SecondsUntil } from '@/components/ui/seconds'
import { phaseOf } from './phase'
import { PhaseIcon } from './phase-icon'
import styles from './status-pill.module.css'
import type { Stream } from './stream'
import type { StreamWords } from './stream-words'

interface StatusPillProps {
  stream: Stream
  words: StreamWords
}

export function StatusPill({ stream, words: { word, why } }: StatusPillProps): ReactNode {
  const phase = phaseOf(stream)
  return (
    <output
      className={styles.pill}
      data-phase={phase}
      data-long={why === undefined ? undefined : true}
    >
      <PhaseIcon phase={phase} />
      <span>
        {word}
        {stream.retryAt !== undefined && (
          <span aria-hidden="true">
            {' '}
            <SecondsUntil moment={stream.retryAt} />
          </span>
        )}
        {why && <small> ({why})</small>}
      </span>
    </output>
  )
}
