'use client'
/** Above the rows: the filter field, how many events the list has, and the names of the columns. */
import type { ReactVirtualizer } from '@tanstack/react-virtual'
import type { ReactNode, RefObject } from 'react'
import type { Stream } from '@/components/stream/stream'
import fields from '@/components/ui/field.module.css'
import { formatCount, nounFor } from '@/components/ui/format'
import { SearchIcon } from '@/components/ui/icons'
import styles from './list-head.module.css'
import type { Filter } from './use-filter'

interface ListHeadProps {
  field: RefObject<HTMLInputElement | null>
  filter: Filter
  stream: Stream
  virtualizer: ReactVirtualizer<HTMLDivElement, HTMLElement>
}

export function ListHead({ field, filter, stream, virtualizer }: ListHeadProps): ReactNode {
  const count = stream.events.length
  const scrolls = virtualizer.getTotalSize() > (virtualizer.scrollRect?.height ?? Infinity)
  return (
    <>
      <div className={styles.tools}>
        <div className={styles.search}>
          <SearchIcon />
          <input
            ref={field}
            className={fields.field}
            value={filter.text}
            onChange={({ target }) => filter.setText(target.value)}
            onKeyDown={({ key }) => {
              if (key === 'Escape') filter.setText('')
            }}
            aria-label="Filter events"
            placeholder="Filter type, id or data"
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
          />
        </div>
        <p className={styles.count}>
          {filter.pattern
            ? `${formatCount(filter.events.length)} of ${formatCount(count)}`
            : `${formatCount(count)} ${nounFor(count, 'event')}`}
          {stream.dropped > 0 && <span>, {formatCount(stream.dropped)} older dropped</span>}
        </p>
      </div>
      {/* Hidden from screen readers: each row makes sense without a heading. */}
      <div className={styles.heads} aria-hidden="true" data-scrolls={scrolls || undefined}>
        <span>Time</span>
        <span>Type</span>
        <span>Data</span>
        <span>Id</span>
      </div>
    </>
  )
}
