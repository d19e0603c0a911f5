/** What the columns of the list are, for those who see them: read aloud, each row makes its own sense. */
import type { ReactNode } from 'react'
import type { ReactVirtualizer } from '@tanstack/react-virtual'
import styles from './event-list.module.css'

interface ListHeadsProps {
  virtualizer: ReactVirtualizer<HTMLDivElement, HTMLElement>
}

export function ListHeads({ virtualizer }: ListHeadsProps): ReactNode {
  const scrolls = virtualizer.getTotalSize() > (virtualizer.scrollRect?.height ?? Infinity)
  return (
    <div className={styles.heads} aria-hidden="true" data-scrolls={scrolls || undefined}>
      <span>Time</span>
      <span>Type</span>
      <span>Data</span>
      <span>Id</span>
    </div>
  )
}
