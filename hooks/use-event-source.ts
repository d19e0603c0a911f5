'use client'
/** Binds one EventSource client to a component: opens it when the component mounts, and closes it when the component unmounts. */
import { useEffect, useEffectEvent, useMemo, useState, useSyncExternalStore } from 'react'
import {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
} from '@/client/event-source-client'
import type { MessagesOnly, Parsers } from '@/client/event-parser'
import type { Gap } from '@/client/gap'
import type { JoinStream } from '@/client/tabs/shared-stream'
import type { StreamError } from '@/client/stream-error'
import { initialStreamState, type ReceivedEvent, type StreamState } from '@/client/stream-state'

export interface UseEventSourceOptions<P extends Parsers = MessagesOnly> extends Omit<
  EventSourceClientOptions<P>,
  'url' | 'join'
> {
  /**
   * `tabs`: all tabs of the same reader that want the same stream share one connection. That needs SharedWorker and Web Locks, so https
   * or localhost, and a URL that is no function; otherwise the tab has a connection of its own. A tab that opens later begins with the
   * events that the others have. Default: shares nothing.
   */
  share?: 'tabs' | undefined
  /** While false there is no stream, and `open()` does nothing. Default true. */
  enabled?: boolean | undefined
  /** Called with every event as it arrives, also with those that `events` no longer holds. */
  onEvent?: ((event: ReceivedEvent<P>) => void) | undefined
  /** Called when the server could not go on where the stream was: events may be missing before the next one. */
  onGap?: ((gap: Gap) => void) | undefined
  /**
   * Called when the server takes the page for another reader's, because another user has signed in, say. By then a stream of an anonymous
   * page has started over; any other is `failed` with the error `reader` until `open()`.
   */
  onReaderChange?: (() => void) | undefined
  /** Called with whatever goes wrong, even if the client mends it later: lost connections, refusals, events that can't be parsed. */
  onError?: ((error: StreamError) => void) | undefined
}

export type UseEventSource<P extends Parsers = MessagesOnly> = StreamState<P> &
  Pick<EventSourceClient<P>, 'open' | 'close' | 'clear' | 'reconnect'>

/**
 * Streams `url` into a component. Another URL or other options make another stream, with a list of its own. Callbacks, parsers and a
 * function for `url` may change at each render; the newest is used. Without a URL (`null`) there is no stream.
 *
 * @example
 * const { status, events, open, close } = useEventSource('/events', { types: { 'order.paid': orderSchema } })
 */
export function useEventSource<P extends Parsers = MessagesOnly>(
  url: string | null | (() => string | Promise<string>),
  options: UseEventSourceOptions<P> = {},
): UseEventSource<P> {
  const { enabled = true, ...ofStream } = options
  // Functions leave no trace in JSON: they may change without making another stream.
  const key = JSON.stringify({
    ...ofStream,
    url: typeof url === 'function' ? true : url,
    types: Object.keys(options.types ?? {}),
  })
  const create = (): Held<P> => ({
    key,
    client: createEventSourceClient({
      ...ofStream,
      url: url ?? '',
      join: ofStream.share === 'tabs' ? join : undefined,
    }),
  })
  const [held, hold] = useState(create)
  const current = held.key === key ? held : create()
  if (current !== held) hold(current)
  const { client } = current
  const state = useSyncExternalStore(client.subscribe, client.getState, initialStreamState<P>)

  useEffect(() => {
    if (url !== null) client.use({ url, types: options.types })
  })

  const call = useEffectEvent((name: (typeof callbacks)[number], told?: unknown) =>
    (options[name] as ((told: unknown) => void) | undefined)?.(told),
  )
  useEffect(() => {
    const undo = callbacks.map((name) => client[name]((told?: unknown) => call(name, told)))
    return () => {
      for (const stop of undo) stop()
    }
  }, [client])

  const isWanted = enabled && url !== null
  useEffect(() => {
    if (!isWanted) return undefined
    client.open()
    return () => client.disable()
  }, [client, isWanted])

  return useMemo(
    () => ({
      ...state,
      open: isWanted ? client.open : () => {},
      close: client.close,
      clear: client.clear,
      reconnect: client.reconnect,
    }),
    [state, client, isWanted],
  )
}

/** A client and a hook have them under the same names. */
const callbacks = ['onEvent', 'onGap', 'onReaderChange', 'onError'] as const

/** Only pages that share load this. */
const join: JoinStream = async (attempt) =>
  (await import('@/client/tabs/join-shared-stream')).joinSharedStream(attempt)

/** A client, and what makes it another stream. */
interface Held<P extends Parsers> {
  key: string
  client: EventSourceClient<P>
}
