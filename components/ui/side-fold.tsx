'use client'
/** What stands beside the events; where there is no room beside them it stands below, folded. */
import type { ReactNode } from 'react'
import { ChevronIcon } from './icons'
import styles from './side-fold.module.css'
import { useMediaQuery } from './use-media-query'

interface SideFoldProps {
  title: string
  children: ReactNode
}

export function SideFold({ title, children }: SideFoldProps): ReactNode {
  // Without script it is open: there is nothing to hide that could be used.
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
