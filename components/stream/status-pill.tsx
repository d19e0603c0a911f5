/** The stream's phase in a word, announced when it changes. The countdown is hidden from screen readers, which would never stop reading it. */
import type { StreamState } from 'next-sse/react'
import type { ReactNode } from 'react'
import { SecondsUntil } from '@/components/ui/seconds'
import { phaseOf, type Standing } from './phase'
import { PhaseIcon } from './phase-icon'
import styles from './status-pill.module.css'
import type { PillWords } from './stream-words'

interface StatusPillProps {
  stream: Standing & Pick<StreamState, 'retryAt'>
  words: PillWords
  /** It stands in an `output` that says other things, too, and announces it. */
  isPart?: boolean
}

export function StatusPill({ stream, words, isPart = false }: StatusPillProps): ReactNode {
  const phase = phaseOf(stream)
  const { word, why } = words
  const Element = isPart ? 'span' : 'output'
  return (
    <Element
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
    </Element>
  )
}
