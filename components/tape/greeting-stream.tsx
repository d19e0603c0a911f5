'use client'
/** The greeting stream at work: where it stands, its controls, and its events on one line. */
import type { ReactNode } from 'react'
import { StatusPill } from '@/components/stream/status-pill'
import { StreamControls } from '@/components/stream/stream-controls'
import { streamWords } from '@/components/stream/stream-words'
import { useEventSource } from '@/hooks/use-event-source'
import { EventItem } from './event-item'
import { EventTape } from './event-tape'
import styles from './greeting-stream.module.css'

export function GreetingStream(): ReactNode {
  const stream = useEventSource('/events')
  const words = streamWords(stream, 'stream')

  return (
    <div className={styles.stream}>
      <div className={styles.deck}>
        <StatusPill stream={stream} words={words} />
        <code>GET /events</code>
        <div className={styles.controls}>
          <StreamControls stream={stream} onStart={() => stream.open({ from: 'start' })} />
        </div>
      </div>
      <EventTape
        stream={stream}
        words={words}
        renderEvent={({ type, id, data, receivedAt }, next) => (
          <EventItem
            type={type}
            id={id}
            text={messageOf(data)}
            time={receivedAt}
            nextTime={next?.receivedAt}
          />
        )}
      />
    </div>
  )
}

/** What a greeting says, or the data as it came if it is not a greeting. */
function messageOf(data: string): string {
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value === 'object' && value !== null && 'message' in value) {
      if (typeof value.message === 'string') return value.message
    }
  } catch {
    // An event's data need not be JSON.
  }
  return data
}
