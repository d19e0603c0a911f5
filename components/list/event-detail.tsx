'use client'
/** What an open row shows: when its event was published and seen, how large it is, where it stands in the log, and its data. */
import { useMemo, type ReactNode } from 'react'
import { Button } from '@/components/ui/button'
import { formatBytes, formatDuration, timeOfDay } from '@/components/ui/format'
import { CheckIcon, CopyIcon } from '@/components/ui/icons'
import { jsonTokens } from '@/components/ui/json-tokens'
import { useCopy } from '@/components/ui/use-copy'
import type { TopicEvent } from '@/hooks/use-topics'
import styles from './event-detail.module.css'

interface EventDetailProps {
  event: TopicEvent
  clockOffsetMs: number | undefined
}

export function EventDetail({ event, clockOffsetMs }: EventDetailProps): ReactNode {
  const { data, id, time } = event
  const tokens = useMemo(() => jsonTokens(data), [data])
  const { outcome, copy } = useCopy()
  const text = tokens ? tokens.map((token) => token.text).join('') : data

  return (
    <div className={styles.detail}>
      <dl>
        <dt>Published</dt>
        <dd>{timeOfDay(time)}</dd>
        <dt>On screen</dt>
        <dd>{delayOf(event, clockOffsetMs)}</dd>
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
        <Button isSmall onClick={() => void copy(text)}>
          {outcome === 'copied' ? <CheckIcon /> : <CopyIcon />}
          {outcome === 'copied' ? 'Copied' : 'Copy'}
        </Button>
        <p aria-live="polite">{outcome === 'refused' && 'Select and copy by hand.'}</p>
      </div>
    </div>
  )
}

/** Longer data scrolls, by keys as well. */
const scrollable = { tabIndex: 0 }

/** From the server's clock to this computer's, which need not agree. */
function delayOf({ time, receivedAt }: TopicEvent, clockOffsetMs: number | undefined): string {
  if (clockOffsetMs === undefined) return '–'
  return `${formatDuration(Math.round(receivedAt - clockOffsetMs - time))} later`
}
