'use client'
/**
 * Streams topics of the hub into a component, with each event's topic, type and time of publishing, which an EventSource by
 * itself can't tell. Everything else is useEventSource's.
 */
import { useMemo } from 'react'
import type { ReceivedEvent, StreamEvent } from './stream-state'
import { useEventSource, type UseEventSource, type UseEventSourceOptions } from './use-event-source'

export interface TopicEvent extends StreamEvent<string, string> {
  topic: string
  /** When it was published: milliseconds since the Unix epoch, by the log's clock. */
  time: number
}

export interface UseTopicsOptions extends Omit<UseEventSourceOptions, 'types' | 'onEvent'> {
  /** Starts with the newest events published before, at most this many: 0 to 1,000. Default 0. A cursor wins over it. */
  last?: number | undefined
  /** Sees every event as it arrives, also those that `events` no longer holds. */
  onEvent?: ((event: TopicEvent) => void) | undefined
}

export interface UseTopics extends Omit<UseEventSource, 'events'> {
  /** The newest events since the last `clear()`, oldest first. */
  events: readonly TopicEvent[]
}

/**
 * Streams 1 to 32 topics; without any there is no stream. Other topics, or another `last`, are another stream.
 *
 * @example
 * const { events, open, close } = useTopics(['orders', 'stock'], { last: 100 })
 */
export function useTopics(
  topics: readonly string[],
  { last, enabled = true, onEvent, ...options }: UseTopicsOptions = {},
): UseTopics {
  const path = `/events/${topics.map((topic) => encodeURIComponent(topic)).join(',')}`
  const stream = useEventSource(`${path}?envelope=1${last === undefined ? '' : `&last=${last}`}`, {
    ...options,
    enabled: enabled && topics.length > 0,
    onEvent(received) {
      const event = openEnvelope(received)
      if (event) onEvent?.(event)
    },
  })
  const received = stream.events
  const events = useMemo(() => received.flatMap((event) => openEnvelope(event) ?? []), [received])

  return useMemo(() => ({ ...stream, events }), [stream, events])
}

/** Each event's envelope is opened once, and an event stays the same object in every render. */
const opened = new WeakMap<ReceivedEvent, TopicEvent | undefined>()

/** Undefined when the event came in no envelope: another server's, or one for readers of another kind. */
function openEnvelope(received: ReceivedEvent): TopicEvent | undefined {
  if (!opened.has(received)) {
    const envelope = parseEnvelope(received.data)
    opened.set(received, envelope && { ...received, ...envelope })
  }
  return opened.get(received)
}

function parseEnvelope(
  text: string,
): Pick<TopicEvent, 'topic' | 'type' | 'time' | 'data'> | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { topic, type, time, data } = value as Record<string, unknown>
  if (typeof topic !== 'string' || typeof type !== 'string') return undefined
  if (typeof time !== 'number' || typeof data !== 'string') return undefined
  // Beyond what a Date can tell, it is not a time.
  if (Number.isNaN(new Date(time).getTime())) return undefined
  return { topic, type, time, data }
}
