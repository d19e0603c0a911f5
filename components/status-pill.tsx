/** The stream's phase in a word, announced when it changes. */
import type { ReactNode } from 'react'
import { isFault, type Phase } from './phase'
import { PhaseIcon } from './phase-icon'
import styles from './status-pill.module.css'

const words: Record<Phase, { word: string; why?: string }> = {
  connecting: { word: 'Connecting' },
  live: { word: 'Live' },
  stopped: { word: 'Stopped' },
  ended: { word: 'Ended' },
  refused: { word: 'Refused', why: '(no event stream)' },
  unreachable: { word: 'Refused', why: '(no answer)' },
  lost: { word: 'Connection lost' },
}

export function StatusPill({ phase }: { phase: Phase }): ReactNode {
  const { word, why } = words[phase]
  return (
    <output className={styles.pill} data-phase={phase} data-fault={isFault(phase) || undefined}>
      <PhaseIcon phase={phase} />
      <span>
        {word}
        {why && <small> {why}</small>}
      </span>
    </output>
  )
}
