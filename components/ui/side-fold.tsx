'use client'
/** A box beside the events. On a narrow page it is below them, folded. */
import type { ReactNode } from 'react'
import { ChevronIcon } from './icons'
import styles from './side-fold.module.css'
import { useMediaQuery } from './use-media-query'

interface SideFoldProps {
  title: string
  children: ReactNode
}

export function SideFold({ title, children }: SideFoldProps): ReactNode {
  // Open without script, because then it could not be opened.
  const isBeside = useMediaQuery('(width >= 960px)', true)
  return (
    <details className={styles.fold} open={isBeside}>
      <summary className={styles.title}>
        {title}
        <ChevronIcon />
      </summary>
      {children}
    </details>
  )
}
