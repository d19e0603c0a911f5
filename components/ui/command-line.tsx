'use client'
/** A command for the terminal, and a button that copies it. */
import type { ReactNode } from 'react'
import a11y from './a11y.module.css'
import styles from './command-line.module.css'
import { CopyButton, copyByHand, useCopy } from './copy-button'

interface CommandLineProps {
  command: string
  /** What the command does, for a command among others. */
  caption?: string
}

export function CommandLine({ command, caption }: CommandLineProps): ReactNode {
  const copying = useCopy()
  const { outcome } = copying

  return (
    <>
      <figure className={`${styles.box} ${caption ? styles.captioned : ''}`}>
        {caption && <figcaption>{caption}</figcaption>}
        <code>{command}</code>
        <span className={styles.copy}>
          <CopyButton look="quiet" text={command} copying={copying} />
        </span>
      </figure>
      {/* Only announced, when the button shows it already. */}
      <p aria-live="polite" className={outcome === 'refused' ? styles.hint : a11y.visuallyHidden}>
        {outcome && (outcome === 'copied' ? 'Copied' : copyByHand)}
      </p>
    </>
  )
}
