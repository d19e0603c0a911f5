/** Replaces the events when the filter matches none of them. */
import type { ReactNode } from 'react'
import { EmptyNote } from '@/components/stream/empty-note'
import type { Stream } from '@/components/stream/stream'
import { Button } from '@/components/ui/button'
import { formatCount, nounFor } from '@/components/ui/format'
import styles from './event-list.module.css'
import type { Filter } from './use-filter'

interface NoMatchProps {
  stream: Stream
  filter: Filter
}

export function NoMatch({ stream, filter }: NoMatchProps): ReactNode {
  const count = stream.events.length
  const rest = `None of ${formatCount(count)} ${nounFor(count, 'event')} contains “${filter.query}”.`
  return (
    <>
      <EmptyNote stream={stream} words={{ word: '', sentence: rest, title: 'No match', rest }} />
      <div className={styles.clear}>
        <Button isSmall onClick={() => filter.setText('')}>
          Clear filter
        </Button>
      </div>
    </>
  )
}
