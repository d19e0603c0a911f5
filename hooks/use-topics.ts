'use client'
/**
 * Streams topics of the hub into a component. Each event has its topic, type and time of publishing, which a plain EventSource does
 * not provide. Everything else works as in useEventSource.
 */
import { useMemo, useState } from 'react'
import { createEventPicker } from '@/client/events/event-picker'
import type { TransportOptions } from '@/client/event-source-client'
import type { Reduce } from '@/client/events/reduce'
import type { ReceivedEvent, StreamEvent } from '@/client/stream-state'
import { parseJsonObject } from '@/protocol/json'
import type { Preloaded } from '@/protocol/preloaded'
import { useEventSource, type UseEventSource, type UseEventSourceOptions } from './use-event-source'
import { topicsUrl } from './topics-url'
import { usePreloaded } from './use-preloaded'

export interface TopicEvent<Data = string> extends StreamEvent<string, Data> {
  topic: string
  /** When it was published: milliseconds since the Unix epoch, by the log's clock. */
  time: number
}

interface TopicsOptions<Reduced, Event> extends Omit<
  UseEventSourceOptions,
  'types' | 'onEvent' | 'cursorParam' | 'initialEvents' | 'initialGap' | 'initialError' | 'reduce'
> {
  /**
   * What `sse.preload` returned for these topics: the first render has its events, on the server too, and the stream continues after
   * them. When some were no longer kept, `gaps` begins with that; `onGap` is not called. The list begins with the first one; a later one of the same reader is ignored, because the stream brings what is newer. When
   * the server refused, the stream is `failed` from the first render.
   */
  initial?: Preloaded | undefined
  /** Starts with at most this many of the events published before: 0 to 1,000. Default 0. Ignored when there is a cursor. */
  last?: number | undefined
  /** Starts with the events of this time: a duration such as `10m`, or `all`. Instead of `last`. Ignored when there is a cursor. */
  since?: string | undefined
  /**
   * Where the topic route is mounted: the app's `basePath`, if any, followed by the `path` given to `createSse`. May be an absolute URL
   * of another origin. Default `/events`.
   */
  path?: string | undefined
  /** Called with every event as it arrives, even when `events` no longer has it. Not called for the events of `initial`. */
  onEvent?: ((event: Event) => void) | undefined
  /** Folds the events into the value `reduced`, those of `initial` first. */
  reduce?: Reduce<Event, Reduced> | undefined
}

export type UseTopicsOptions<Reduced = undefined, Event = TopicEvent> = TopicsOptions<
  Reduced,
  Event
> &
  TransportOptions

export interface UseTopics<Reduced = undefined, Event = TopicEvent> extends Omit<
  UseEventSource,
  'events' | 'reduced'
> {
  /** The newest events since the last `clear()`, oldest first. */
  events: readonly Event[]
  /** What `reduce` has made of all events since the last `clear()`, including those that `events` no longer has. */
  reduced: Reduced
}

/**
 * Streams 1 to 32 topics. Without topics there is no stream. Other topics, or another `last` or `since`, start another stream.
 *
 * @example
 * const { events, open, close } = useTopics(['orders', 'stock'], { last: 100 })
 */
export function useTopics<Reduced = undefined>(
  topics: readonly string[],
  options?: UseTopicsOptions<Reduced>,
): UseTopics<Reduced> {
  // Its parser makes events whose data is text.
  return useParsedTopics(topics, options as ParsedOptions<Reduced>, parsers) as UseTopics<Reduced>
}

/** Options for events of any data. */
export type ParsedOptions<Reduced> = UseTopicsOptions<Reduced, TopicEvent<unknown>>

/** `useTopics` with a parser of your own, the same one each time. */
export function useParsedTopics<Reduced>(
  topics: readonly string[],
  {
    initial,
    last,
    since,
    path = '/events',
    enabled = true,
    onEvent,
    reduce,
    ...options
  }: ParsedOptions<Reduced> = {},
  types: EnvelopeParsers,
): UseTopics<Reduced, TopicEvent<unknown>> {
  const stream = useEventSource(topicsUrl(topics, { path, last, since }), {
    ...options,
    ...usePreloaded(initial, topics, path),
    types,
    enabled: enabled && topics.length > 0,
    onEvent(received) {
      const event = openEnvelope(received)
      if (event) onEvent?.(event)
    },
    reduce: reduce && {
      ...reduce,
      reducer(state: Reduced, received) {
        const event = openEnvelope(received)
        return event ? reduce.reducer(state, event) : state
      },
    },
  })
  const [openAll] = useState(() => createEventPicker(openEnvelope))
  const events = openAll(stream.events)

  return useMemo(() => ({ ...stream, events }), [stream, events])
}

/** Makes an event of the text of an envelope. Undefined: there is no event to show. */
export type EnvelopeParsers = Readonly<
  Record<'message', (text: string) => TopicEvent<unknown> | undefined>
>

const parsers: EnvelopeParsers = { message: parseEnvelope }

/** Returns the same object each time. Undefined when the event had no envelope, for example from another server. */
function openEnvelope({
  data: event,
  seq,
  id,
  receivedAt,
}: ReceivedEvent<EnvelopeParsers>): TopicEvent<unknown> | undefined {
  // Reuse the parsed envelope as the event, so that a busy page does not keep two objects per event.
  return event && Object.assign(event, { seq, id, receivedAt })
}

/** Undefined when the text is no envelope. */
export function parseEnvelope(text: string): (TopicEvent & { key?: string }) | undefined {
  const { topic, key, type, time, data } = parseJsonObject(text) ?? {}
  if (typeof topic !== 'string' || typeof type !== 'string') return undefined
  if (typeof time !== 'number' || typeof data !== 'string') return undefined
  // A number outside the range of Date is not a time.
  if (Number.isNaN(new Date(time).getTime())) return undefined
  const event = { seq: 0, id: '', receivedAt: 0, topic, type, time, data }
  return typeof key === 'string' ? { ...event, key } : event
}
