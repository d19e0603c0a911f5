'use client'
/** The greeting stream: its status, its controls, and its events on a tape. */
import type { ReactNode } from 'react'
import { useEventSource } from 'next-sse/react'
import { StatusPill } from '@/components/stream/status-pill'
import { StreamControls } from '@/components/stream/stream-controls'
import { streamWords } from '@/components/stream/stream-words'
import { parseJson } from '@/components/ui/json'
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

/** The greeting's message, or the data as it came when it is not a greeting. */
function messageOf(data: string): string {
  const value = parseJson(data)
  const isGreeting = typeof value === 'object' && value !== null && 'message' in value
  return isGreeting && typeof value.message === 'string' ? value.message : data
}
