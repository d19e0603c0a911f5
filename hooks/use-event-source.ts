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
import type { ReceivedEvent, StreamState } from '@/client/stream-state'

interface HookOptions<P extends Parsers, Reduced> extends Omit<
  EventSourceClientOptions<P, Reduced>,
  'url' | 'join'
> {
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

export type UseEventSourceOptions<
  P extends Parsers = MessagesOnly,
  Reduced = undefined,
> = HookOptions<P, Reduced> & TransportOptions

export type UseEventSource<P extends Parsers = MessagesOnly, Reduced = undefined> = StreamState<
  P,
  Reduced
> &
  Pick<EventSourceClient<P>, 'open' | 'close' | 'clear' | 'reconnect'>

/**
 * Streams `url` into a component. Another URL or other options start another stream, with its own list. Callbacks, parsers, the
 * reducer, headers and a function for `url` may change with each render; the newest ones are used. The `initial…` options are used
 * when the stream is created; later ones are ignored, unless they are of another reader. With `null` as the URL there is no stream.
 *
 * @example
 * const { status, events, open, close } = useEventSource('/events', { types: { 'order.paid': orderSchema } })
 */
export function useEventSource<P extends Parsers = MessagesOnly, Reduced = undefined>(
  url: string | null | (() => string | Promise<string>),
  options: UseEventSourceOptions<P, Reduced> = {},
): UseEventSource<P, Reduced> {
  const { enabled = true, ...ofClient } = options
  const { headers, reduce, initialReader, initialError } = options
  // JSON leaves out functions, so they may change without starting another stream.
  const key = JSON.stringify({
    ...ofClient,
    headers: undefined,
    url: typeof url === 'function' ? true : url,
    types: Object.keys(options.types ?? {}),
    reduce: undefined,
    initialEvents: undefined,
    initialLastEventId: undefined,
    initialReader: undefined,
    initialError: undefined,
  })
  const reader = initialError ? `refused ${initialError.code}` : initialReader
  const create = (): KeyedClient<P, Reduced> => ({
    key,
    reader,
    client: createEventSourceClient({
      ...ofClient,
      url: url ?? '',
      join: options.share === 'tabs' ? join : undefined,
    }),
  })
  const [kept, keep] = useState(create)
  const isSame = kept.key === key && (reader === undefined || reader === kept.reader)
  const current = isSame ? kept : create()
  if (current !== kept) keep(current)
  const { client } = current
  const state = useSyncExternalStore(client.subscribe, client.getState, client.getInitialState)

  useEffect(() => {
    if (url !== null) client.use({ url, headers, types: options.types, reduce })
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
    // A stream that was created as failed waits for the page's `open()`.
    if (client.getState().status === 'idle') client.open()
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

/** A client, the key of its options, and the reader it was created for. Another key or reader needs another client. */
interface KeyedClient<P extends Parsers, Reduced> {
  key: string
  /** Undefined when the page did not know the reader. */
  reader: string | undefined
  client: EventSourceClient<P, Reduced>
}
