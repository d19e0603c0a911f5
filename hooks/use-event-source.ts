'use client'
/**
 * Binds one EventSource client to a component: opened when it mounts, closed when it unmounts. What a stream is and does
 * is the client's: event-source-client.ts.
 */
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
   * `tabs`: one connection for all tabs that want the same stream, where the browser has SharedWorker and Web Locks, which need
   * https or localhost; a function as URL can't be shared. Tabs share while the server says that they have the same reader. One that comes late begins with what the others have. Default: none is shared.
   */
  share?: 'tabs' | undefined
  /** While false there is no stream, and `open()` does nothing. Default true. */
  enabled?: boolean | undefined
  /** Sees every event as it arrives, also those that `events` no longer holds. */
  onEvent?: ((event: ReceivedEvent<P>) => void) | undefined
  /** Hears when the server could not go on where the stream was: events may be missing before the next one. */
  onGap?: ((gap: Gap) => void) | undefined
  /**
   * Hears when the server takes the page for another reader's, because somebody signed in, say: a stream that was nobody's has started over
   * by then, any other is `failed` with the error `reader` until `open()`.
   */
  onReaderChange?: (() => void) | undefined
  /** Hears whatever goes wrong, be it mended later: lost connections, refusals, events that can't be parsed. */
  onError?: ((error: StreamError) => void) | undefined
}

export type UseEventSource<P extends Parsers = MessagesOnly> = StreamState<P> &
  Pick<EventSourceClient<P>, 'open' | 'close' | 'clear' | 'reconnect'>

/**
 * Streams `url` into a component. Another URL or other options are another stream, with a list of its own; callbacks, parsers and a
 * function for `url` may change freely, and the newest is used. Without a URL (`null`) there is no stream.
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
