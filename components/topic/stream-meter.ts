'use client'
/** Measures a stream of topics without rendering: gets every event as it arrives, and is read once a second. */
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
  /** Undefined until the stream has been open. */
  received: number | undefined
  /** Undefined until the stream has been open. */
  openForMs: number | undefined
  reconnects: number
}

export interface StreamMeter {
  /** Pass it to the `onEvent` of useTopics. */
  count: (event: TopicEvent) => void
  /** Call it with every state of the stream. */
  follow: (stream: MeteredStream) => void
  /** The figures now. Call it once a second. */
  read: () => StreamReading
}

export const noReading: StreamReading = {
  counts: noCounts,
  delay: noDelay,
  received: undefined,
  openForMs: undefined,
  reconnects: 0,
}

/** A background tab may not read for a minute: the events that wait are then counted without being asked for. */
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
  /** Events are counted at the next reading: the first ones of a connection arrive before the clock offset is known. */
  let waiting: { event: TopicEvent; at: number; connectedAt: number }[] = []

  function countWaiting(): void {
    const clockOffsetMs = stream?.clockOffsetMs
    for (const { event, at, connectedAt: since } of waiting) {
      const delayMs = clockOffsetMs === undefined ? undefined : delayOf(event, clockOffsetMs)
      // Published before this connection: history, whose delay only says how long the reader was away.
      if (delayMs !== undefined && event.receivedAt - delayMs < since) continue
      rate.count(at)
      if (delayMs !== undefined) delays.add(delayMs)
    }
    waiting = []
  }

  return {
    count(event) {
      waiting.push({ event, at: performance.now(), connectedAt })
      if (waiting.length >= maxWaiting) countWaiting()
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
      countWaiting()
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
