'use client'
/**
 * Streams topics of the hub into a component. Each event has its topic, type and time of publishing, which a plain EventSource does
 * not provide. Everything else works as in useEventSource.
 */
import { useMemo, useState } from 'react'
import { createEventPicker } from '@/client/event-picker'
import type { TransportOptions } from '@/client/event-source-client'
import type { ReceivedEvent, StreamEvent } from '@/client/stream-state'
import { parseJsonObject } from '@/protocol/json'
import { useEventSource, type UseEventSource, type UseEventSourceOptions } from './use-event-source'

export interface TopicEvent extends StreamEvent<string, string> {
  topic: string
  /** When it was published: milliseconds since the Unix epoch, by the log's clock. */
  time: number
}

interface TopicsOptions extends Omit<UseEventSourceOptions, 'types' | 'onEvent' | 'cursorParam'> {
  /** Starts with at most this many of the events published before: 0 to 1,000. Default 0. Ignored when there is a cursor. */
  last?: number | undefined
  /**
   * Where the topic route is mounted: the app's `basePath`, if any, followed by the `path` given to `createSse`. May be an absolute URL
   * of another origin. Default `/events`.
   */
  path?: string | undefined
  /** Called with every event as it arrives, even when `events` no longer has it. */
  onEvent?: ((event: TopicEvent) => void) | undefined
}

export type UseTopicsOptions = TopicsOptions & TransportOptions

export interface UseTopics extends Omit<UseEventSource, 'events'> {
  /** The newest events since the last `clear()`, oldest first. */
  events: readonly TopicEvent[]
}

/**
 * Streams 1 to 32 topics. Without topics there is no stream. Other topics, or another `last`, start another stream.
 *
 * @example
 * const { events, open, close } = useTopics(['orders', 'stock'], { last: 100 })
 */
export function useTopics(
  topics: readonly string[],
  { last, path = '/events', enabled = true, onEvent, ...options }: UseTopicsOptions = {},
): UseTopics {
  const url = `${path}/${topics.map((topic) => encodeURIComponent(topic)).join(',')}`
  const stream = useEventSource(`${url}?envelope=1${last === undefined ? '' : `&last=${last}`}`, {
    ...options,
    types,
    enabled: enabled && topics.length > 0,
    onEvent(received) {
      const event = openEnvelope(received)
      if (event) onEvent?.(event)
    },
  })
  const [openAll] = useState(() => createEventPicker(openEnvelope))
  const events = openAll(stream.events)

  return useMemo(() => ({ ...stream, events }), [stream, events])
}

const types = { message: parseEnvelope }

/** Returns the same object each time. Undefined when the event had no envelope, for example from another server. */
function openEnvelope({
  data: event,
  seq,
  id,
  receivedAt,
}: ReceivedEvent<typeof types>): TopicEvent | undefined {
  // Reuse the parsed envelope as the event, so that a busy page does not keep two objects per event.
  return event && Object.assign(event, { seq, id, receivedAt })
}

function parseEnvelope(text: string): TopicEvent | undefined {
  const { topic, type, time, data } = parseJsonObject(text) ?? {}
  if (typeof topic !== 'string' || typeof type !== 'string') return undefined
  if (typeof time !== 'number' || typeof data !== 'string') return undefined
  // A number outside the range of Date is not a time.
  if (Number.isNaN(new Date(time).getTime())) return undefined
  return { seq: 0, id: '', receivedAt: 0, topic, type, time, data }
}
