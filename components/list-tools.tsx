'use client'
/** Above the list: a field that filters it, and how many events it has. */
import type { ReactNode, RefObject } from 'react'
import { formatCount } from './count'
import fields from './field.module.css'
import { SearchIcon } from './list-icons'
import styles from './list-tools.module.css'

interface ListToolsProps {
  field: RefObject<HTMLInputElement | null>
  filter: string
  onFilter: (filter: string) => void
  /** How many events match; undefined while nothing is filtered. */
  matching: number | undefined
  count: number
  dropped: number
}

export function ListTools(props: ListToolsProps): ReactNode {
  const { field, filter, onFilter, matching, count, dropped } = props
  return (
    <div className={styles.tools}>
      <div className={styles.search}>
        <SearchIcon />
        <input
          ref={field}
          className={fields.field}
          value={filter}
          onChange={({ target }) => onFilter(target.value)}
          onKeyDown={({ key }) => {
            if (key === 'Escape') onFilter('')
          }}
          aria-label="Filter events"
          placeholder="Filter type, id or data"
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
        />
      </div>
      <p className={styles.count}>
        {matching === undefined
          ? `${formatCount(count)} ${count === 1 ? 'event' : 'events'}`
          : `${formatCount(matching)} of ${formatCount(count)}`}
        {dropped > 0 && <span>, {formatCount(dropped)} older dropped</span>}
      </p>
    </div>
  )
}
