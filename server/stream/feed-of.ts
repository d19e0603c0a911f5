/** Any async iterable of events as a feed: the way to stream a source of one's own. */
import { encodeEvent, InvalidEventError, type ServerSentEvent } from '@/protocol/event'
import { isReservedType } from '@/protocol/control-events'
import { settle, type Feed } from './feed'

type EventSequence = AsyncIterable<ServerSentEvent>

export interface FeedOptions {
  /** The id that stands before the first event, when events carry ids. */
  cursor?: string
  /** True when the events go on after a cursor that the reader presented. Default false. */
  resumed?: boolean
}

const encoder = new TextEncoder()

/**
 * Asks `source` for one event at a time, each when the reader can take it. Its `return` is always called, also when it was never
 * asked for anything. A source that waits takes the signal, which aborts when the stream ends for whatever reason: `return` alone
 * does not reach a generator that is waiting. One that throws ends the stream, as does an event of a reserved type.
 *
 * @example
 * async function* ticks(signal: AbortSignal) {
 *   for await (const _ of setInterval(1000, undefined, { signal })) yield { data: new Date().toISOString() }
 * }
 * export const GET = (request: Request) => streamResponse(feedOf(ticks), { signal: request.signal })
 */
export function feedOf(
  source: EventSequence | ((signal: AbortSignal) => EventSequence),
  { cursor, resumed = false }: FeedOptions = {},
): Feed {
  const closed = new AbortController()
  let iterator: AsyncIterator<ServerSentEvent> | undefined
  let next: ServerSentEvent | undefined
  let done = false

  function start(): AsyncIterator<ServerSentEvent> {
    const sequence = typeof source === 'function' ? source(closed.signal) : source
    return sequence[Symbol.asyncIterator]()
  }

  async function ask(): Promise<void> {
    if (next || done) return
    iterator ??= start()
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
      settle(ask(), onReady)
    },
    async close() {
      if (closed.signal.aborted) return
      closed.abort()
      // A function that never ran holds nothing; an iterable made by others may hold something already.
      if (typeof source !== 'function') iterator ??= start()
      if (!done) await iterator?.return?.()
      done = true
    },
  }
}
