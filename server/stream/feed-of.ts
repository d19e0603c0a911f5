/** Any async iterable of events as a feed: the way to stream a source of one's own. */
import { encodeEvent, InvalidEventError, type ServerSentEvent } from '@/protocol/event'
import { isReservedType } from '@/protocol/control-events'
import { readyAfter, type Feed } from './feed'

export interface FeedOptions {
  /** The id that stands before the first event, when events carry ids. */
  cursor?: string | undefined
  /** True when the events go on after a cursor that the reader presented. Default false. */
  resumed?: boolean | undefined
  /** Aborted when the feed is closed, so that a source that waits stops waiting: `return` alone does not reach such a generator. */
  ended?: AbortController | undefined
}

const encoder = new TextEncoder()

/**
 * Asks `events` for one event at a time, each when the reader can take it. Its `return` is always called, also when it was never asked for
 * anything. One that throws ends the stream, as does an event of a reserved type.
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
    get cursor() {
      return cursor
    },
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
      // An iterable may hold something before it was first asked.
      iterator ??= events[Symbol.asyncIterator]()
      if (!done) await iterator.return?.()
      done = true
    },
  }
}
