'use client'
/** Above the list: a field that filters it, and how many events it has. */
import type { ReactNode, RefObject } from 'react'
import type { Stream } from '@/components/stream/stream'
import fields from '@/components/ui/field.module.css'
import { formatCount, nounFor } from '@/components/ui/format'
import { SearchIcon } from '@/components/ui/icons'
import styles from './list-tools.module.css'
import type { Filter } from './use-filter'

interface ListToolsProps {
  field: RefObject<HTMLInputElement | null>
  filter: Filter
  stream: Stream
}

export function ListTools({ field, filter, stream }: ListToolsProps): ReactNode {
  const count = stream.events.length
  return (
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
  )
}
