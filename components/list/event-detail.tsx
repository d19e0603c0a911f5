'use client'
/** What an open row shows: when its event was published and received, its size, its cursor, and its data. */
import { useMemo, type ReactNode } from 'react'
import type { TopicEvent } from 'next-sse/react'
import { delayOf } from '@/components/stream/delay'
import { CopyButton, copyByHand, useCopy } from '@/components/ui/copy-button'
import { formatBytes, formatDuration, timeOfDay } from '@/components/ui/format'
import { jsonTokens } from '@/components/ui/json'
import styles from './event-detail.module.css'

interface EventDetailProps {
  event: TopicEvent
  clockOffsetMs: number | undefined
}

export function EventDetail({ event, clockOffsetMs }: EventDetailProps): ReactNode {
  const { data, id, time } = event
  const tokens = useMemo(() => jsonTokens(data), [data])
  const copying = useCopy()
  const text = tokens ? tokens.map((token) => token.text).join('') : data

  return (
    <div className={styles.detail}>
      <dl>
        <dt>Published</dt>
        <dd>{timeOfDay(time)}</dd>
        <dt>On screen</dt>
        <dd>{delayText(event, clockOffsetMs)}</dd>
        <dt>Size</dt>
        <dd>{formatBytes(data)}</dd>
        <dt>Cursor</dt>
        <dd>{id || '–'}</dd>
      </dl>
      <pre {...scrollable}>
        {tokens?.map(({ kind, text: part }, index) => (
          <span key={`${index}`} className={styles[kind]}>
            {part}
          </span>
        )) ?? data}
      </pre>
      <div className={styles.copy}>
        <CopyButton isSmall text={text} copying={copying} />
        <p aria-live="polite">{copying.outcome === 'refused' && copyByHand}</p>
      </div>
    </div>
  )
}

/** Long data scrolls; with the focus on it, also by keyboard. */
const scrollable = { tabIndex: 0 }

/** A dash where the server did not tell its time: the two clocks may disagree. */
function delayText(event: TopicEvent, clockOffsetMs: number | undefined): string {
  return clockOffsetMs === undefined
    ? '–'
    : `${formatDuration(delayOf(event, clockOffsetMs))} later`
}
