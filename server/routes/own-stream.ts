/** Streams an app's own events: any async iterable, from any source. */
import type { ServerSentEvent } from '@/protocol/event'
import { clientOf } from '@/server/access/origin/client-address'
import { emptyAnswer, type Answer } from '@/server/answer'
import type { Engine } from '@/server/engine'
import type { SseRequest } from '@/server/sse/sse-request'
import { feedOf } from '@/server/stream/feed-of'
import { readLastEventId } from './presented-cursor'

export interface StreamContext<Params = Record<string, string | string[] | undefined>> {
  request: Request
  /** The dynamic segments of the route's path. */
  params: Params
  /** Aborts when the stream ends, for any reason. Pass it to everything that the source waits for. */
  signal: AbortSignal
  /** The id of the last event that the reader got; undefined for a new reader. */
  lastEventId: string | undefined
}

export type EventSequence = AsyncIterable<ServerSentEvent>

/**
 * The result of a source: events; events together with the place where they start; or undefined, which tells the reader not to
 * reconnect.
 */
export type StreamedEvents =
  | EventSequence
  | {
      events: EventSequence
      /** True when the events continue after `lastEventId`. Default: true when the reader sent one. */
      resumed?: boolean | undefined
      /** The id of the place before the first event. Default: `lastEventId`. */
      cursor?: string | undefined
    }
  | undefined

/**
 * Creates the events for one reader. To refuse the reader, throw a `Refusal`. A generator that throws later only ends its stream.
 */
export type StreamSource<Params = Record<string, string | string[] | undefined>> = (
  context: StreamContext<Params>,
) => StreamedEvents | Promise<StreamedEvents>

/** @throws any error of the source */
export async function readOwnStream<Params>(
  { streams, limits, config }: Engine,
  request: SseRequest,
  source: StreamSource<Params>,
  context: Pick<StreamContext<Params>, 'request' | 'params'>,
): Promise<Answer> {
  const lastEventId = readLastEventId(request)
  const ended = new AbortController()
  const streamed = await source({ ...context, lastEventId, signal: ended.signal })
  if (!streamed) return emptyAnswer(204, { 'Cache-Control': 'no-store' })

  const onEnd = limits.openStream(() => clientOf(request, config.trustedProxies))
  if (!onEnd) {
    ended.abort()
    return streams.comeBack('too-many-streams', { lastEventId: lastEventId ?? '' })
  }
  const {
    events,
    resumed = lastEventId !== undefined,
    cursor = lastEventId,
  } = 'events' in streamed ? streamed : { events: streamed }
  const feed = feedOf(events, { cursor, resumed, ended })
  return streams.answer(feed, { signal: request.signal, onEnd })
}
