'use client'
/** Binds one EventSource client to a component: opens it when the component mounts, and closes it when the component unmounts. */
import { useEffect, useEffectEvent, useMemo, useState, useSyncExternalStore } from 'react'
import {
  createEventSourceClient,
  type EventSourceClient,
  type EventSourceClientOptions,
  type TransportOptions,
} from '@/client/event-source-client'
import type { MessagesOnly, Parsers } from '@/client/event-parser'
import type { Gap } from '@/client/gap'
import type { JoinStream } from '@/client/tabs/shared-stream'
import type { StreamError } from '@/client/stream-error'
import { initialStreamState, type ReceivedEvent, type StreamState } from '@/client/stream-state'

interface HookOptions<P extends Parsers> extends Omit<EventSourceClientOptions<P>, 'url' | 'join'> {
  /**
   * `tabs`: all tabs of the same reader with the same stream share one connection. This needs SharedWorker and Web Locks, so https
   * or localhost, a URL that is not a function, and no `transport: 'fetch'`; otherwise the tab gets its own connection. A tab that
   * opens later starts with the events that the others have. Default: shares nothing.
   */
  share?: 'tabs' | undefined
  /** While false there is no stream, and `open()` does nothing. Default true. */
  enabled?: boolean | undefined
  /** Called with every event as it arrives, even when `events` no longer has it. */
  onEvent?: ((event: ReceivedEvent<P>) => void) | undefined
  /** Called when the server could not resume the stream: events may be missing before the next one. */
  onGap?: ((gap: Gap) => void) | undefined
  /**
   * Called when the server says that the page has another reader, for example because another user has signed in. At that point, the
   * stream of an anonymous page has started over. Any other stream is `failed` with the error `reader` until `open()`.
   */
  onReaderChange?: (() => void) | undefined
  /** Called with every error, even when the client recovers by itself: lost connections, refusals, events that can't be parsed. */
  onError?: ((error: StreamError) => void) | undefined
}

export type UseEventSourceOptions<P extends Parsers = MessagesOnly> = HookOptions<P> &
  TransportOptions

export type UseEventSource<P extends Parsers = MessagesOnly> = StreamState<P> &
  Pick<EventSourceClient<P>, 'open' | 'close' | 'clear' | 'reconnect'>

/**
 * Streams `url` into a component. Another URL or other options start another stream, with an empty list. Callbacks, parsers,
 * headers and a function for `url` may change with each render; the newest ones are used. With `null` as the URL there is no stream.
 *
 * @example
 * const { status, events, open, close } = useEventSource('/events', { types: { 'order.paid': orderSchema } })
 */
export function useEventSource<P extends Parsers = MessagesOnly>(
  url: string | null | (() => string | Promise<string>),
  options: UseEventSourceOptions<P> = {},
): UseEventSource<P> {
  const { enabled = true, ...ofStream } = options
  // JSON leaves out functions, so they may change without starting another stream.
  const key = JSON.stringify({
    ...ofStream,
    headers: undefined,
    url: typeof url === 'function' ? true : url,
    types: Object.keys(options.types ?? {}),
  })
  const create = (): KeyedClient<P> => ({
    key,
    client: createEventSourceClient({
      ...ofStream,
      url: url ?? '',
      join: ofStream.share === 'tabs' ? join : undefined,
    }),
  })
  const [kept, keep] = useState(create)
  const current = kept.key === key ? kept : create()
  if (current !== kept) keep(current)
  const { client } = current
  const state = useSyncExternalStore(client.subscribe, client.getState, initialStreamState<P>)

  useEffect(() => {
    if (url !== null) client.use({ url, headers: options.headers, types: options.types })
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

/** The client's methods have the same names as the hook's options. */
const callbacks = ['onEvent', 'onGap', 'onReaderChange', 'onError'] as const

/** Imported dynamically, so that only pages that share a stream load this code. */
const join: JoinStream = async (attempt) =>
  (await import('@/client/tabs/join-shared-stream')).joinSharedStream(attempt)

/** A client and the key of its options. Another key needs another client. */
interface KeyedClient<P extends Parsers> {
  key: string
  client: EventSourceClient<P>
}
