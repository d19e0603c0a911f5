/** Replaces a stream's events while there are none, and says why. */
import type { ReactNode } from 'react'
import styles from './empty-note.module.css'
import { phaseOf } from './phase'
import { LineEndIcon } from './phase-icon'
import type { Stream } from './stream'
import type { StreamWords } from './stream-words'

interface EmptyNoteProps {
  stream: Stream
  words: StreamWords
}

export function EmptyNote({ stream, words: { title, rest } }: EmptyNoteProps): ReactNode {
  if (rest === undefined) return null
  const phase = phaseOf(stream)
  return (
    <p className={styles.note} data-phase={phase}>
      <span className={styles.node}>
        <LineEndIcon phase={phase} />
      </span>
      {title && <b>{title}</b>}
      {rest}
    </p>
  )
}
