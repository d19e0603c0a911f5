'use client'
/** Measures a stream of topics without rendering: sees every event as it arrives, and is read once a second. */
import { useState } from 'react'
import type { TopicEvent, UseTopics } from 'next-sse/react'
import { createDelayMeter, delayOf, noDelay, type Delay } from '@/components/stream/delay'
import { createEventRate, noCounts, type Counts } from './event-rate'

type MeteredStream = Pick<
  UseTopics,
  'status' | 'received' | 'openedAt' | 'closedAt' | 'clockOffsetMs'
>

export interface StreamReading {
  counts: Counts
  delay: Delay
  /** As the two below, undefined until the stream was open. */
  received: number | undefined
  openForMs: number | undefined
  reconnects: number
}

export interface StreamMeter {
  /** For the `onEvent` of useTopics. */
  count: (event: TopicEvent) => void
  /** Hears of every state of the stream. */
  follow: (stream: MeteredStream) => void
  /** What is known now; to be asked once a second. */
  read: () => StreamReading
}

export const noReading: StreamReading = {
  counts: noCounts,
  delay: noDelay,
  received: undefined,
  openForMs: undefined,
  reconnects: 0,
}

/** In the background nobody may read for a minute. */
const maxWaiting = 1_000

export function useStreamMeter(): StreamMeter {
  const [meter] = useState(createStreamMeter)
  return meter
}

export function createStreamMeter(): StreamMeter {
  const rate = createEventRate()
  const delays = createDelayMeter()
  let stream: MeteredStream | undefined
  let connectedAt = 0
  let reconnects = 0
  /** Events wait for the reading: the first ones of a connection come before the page knows how far the clocks are apart. */
  let waiting: { event: TopicEvent; at: number; connectedAt: number }[] = []

  function take(): void {
    const clockOffsetMs = stream?.clockOffsetMs
    for (const { event, at, connectedAt: since } of waiting) {
      const delayMs = clockOffsetMs === undefined ? undefined : delayOf(event, clockOffsetMs)
      // Published before this connection: history, whose delay and rate would be those of the reader's absence.
      if (delayMs !== undefined && event.receivedAt - delayMs < since) continue
      rate.count(at)
      if (delayMs !== undefined) delays.add(delayMs)
    }
    waiting = []
  }

  return {
    count(event) {
      waiting.push({ event, at: performance.now(), connectedAt })
      if (waiting.length >= maxWaiting) take()
    },
    follow(next) {
      const isNewlyOpen = next.status === 'open' && stream?.status !== 'open'
      if (next.openedAt !== stream?.openedAt) reconnects = 0
      else if (isNewlyOpen) reconnects++
      if (isNewlyOpen) connectedAt = Date.now()
      if (next.status === 'open') rate.connect(performance.now())
      else rate.disconnect(performance.now())
      stream = next
    },
    read() {
      take()
      const at = performance.now()
      const openedAt = stream?.openedAt
      return {
        counts: rate.read(at),
        delay: delays.read(at),
        received: openedAt === undefined ? undefined : stream?.received,
        openForMs: openedAt && Math.max(0, (stream?.closedAt ?? Date.now()) - openedAt),
        reconnects,
      }
    },
  }
}
