'use client'
/** The stream of a private topic: its status, its controls, and its events on a tape. */
import type { ReactNode } from 'react'
import { useTopics } from 'next-sse/react'
import { StatusPill } from '@/components/stream/status-pill'
import { StreamControls } from '@/components/stream/stream-controls'
import { streamWords } from '@/components/stream/stream-words'
import { EventItem } from '@/components/tape/event-item'
import { EventTape } from '@/components/tape/event-tape'
import styles from '@/components/tape/greeting-stream.module.css'
import { parseJson } from '@/components/ui/json'

const last = 20

export function PrivateTopic({ topic }: { topic: string }): ReactNode {
  const stream = useTopics([topic], { last, share: 'tabs' })
  const words = streamWords(stream, 'topic')

  return (
    <div className={styles.stream}>
      <div className={styles.deck}>
        <StatusPill stream={stream} words={words} />
        <code>GET /events/{topic}</code>
        <div className={styles.controls}>
          <StreamControls stream={stream} />
        </div>
      </div>
      <EventTape
        stream={stream}
        words={words}
        renderEvent={({ type, id, data, time }, next) => (
          <EventItem
            type={type}
            id={id}
            text={sentenceOf(type, data)}
            time={time}
            nextTime={next?.time}
          />
        )}
      />
    </div>
  )
}

function sentenceOf(type: string, text: string): string {
  const data = parseJson(text) as { from?: unknown; text?: unknown; count?: unknown } | undefined
  if (type === 'note') return `${nameOf(data?.from)}: ${String(data?.text)}`
  if (type !== 'devices') return text
  const count = Number(data?.count)
  return count === 1 ? 'Signed in on one device' : `Signed in on ${count} devices`
}

function nameOf(id: unknown): string {
  return id === 'ana' ? 'Ana' : 'Bob'
}
