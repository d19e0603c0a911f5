/** Replaces the stream in a browser without JavaScript: says how to read it in a terminal. */
import type { ReactNode } from 'react'
import styles from './needs-script.module.css'

export function NeedsScript({ command }: { command: string }): ReactNode {
  return (
    <noscript>
      <p className={styles.note}>
        This page needs JavaScript to open the stream. In a terminal: <code>{command}</code>
      </p>
    </noscript>
  )
}
