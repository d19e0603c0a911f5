/** Turns any async iterable of events into a feed, so that an app can stream its own events. */
import { encodeEvent, InvalidEventError, type ServerSentEvent } from '@/protocol/event'
import { isReservedType } from '@/protocol/control-events'
import { readyAfter, type Feed } from './feed'

export interface FeedOptions {
  /** The id of the place before the first event, when events have ids. */
  cursor?: string | undefined
  /** True when the events continue after a cursor that the reader presented. Default false. */
  resumed?: boolean | undefined
  /** Aborted when the feed is closed, so that a waiting source stops. `return` alone does not interrupt a generator that awaits. */
  ended?: AbortController | undefined
}

const encoder = new TextEncoder()

/**
 * Asks `events` for one event at a time, when the reader can take it. Always calls the iterator's `return`, even when no event was
 * ever requested. A source that throws ends the stream, and so does an event of a reserved type.
 */
export function feedOf(
  events: AsyncIterable<ServerSentEvent>,
  { cursor, resumed = false, ended = new AbortController() }: FeedOptions = {},
): Feed {
  let iterator: AsyncIterator<ServerSentEvent> | undefined
  let next: ServerSentEvent | undefined
  let done = false

  async function ask(): Promise<void> {
    if (next || done) return
    iterator ??= events[Symbol.asyncIterator]()
    const result = await iterator.next()
    if (result.done) done = true
    else next = result.value
  }

  return {
    cursor: () => cursor,
    resumed,
    take() {
      if (!next) return done ? 'end' : undefined
      if (next.type !== undefined && isReservedType(next.type)) {
        throw new InvalidEventError('reserved-type', `The event type ${next.type} is reserved.`)
      }
      const frame = encoder.encode(encodeEvent(next))
      cursor = next.id ?? cursor
      next = undefined
      return frame
    },
    whenReady(onReady) {
      readyAfter(ask(), onReady)
    },
    async close() {
      if (ended.signal.aborted) return
      ended.abort()
      // An iterable may have acquired something before its first event is requested.
      iterator ??= events[Symbol.asyncIterator]()
      if (!done) await iterator.return?.()
      done = true
    },
  }
}
