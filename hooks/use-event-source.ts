'use client'
/** Shows a stream in a component: its state, its events, and methods to open and close it. */
import { useMemo, useSyncExternalStore } from 'react'
import type {
  EventSourceClient,
  EventSourceClientOptions,
  TransportOptions,
} from '@/client/event-source-client'
import type { MessagesOnly, Parsers } from '@/client/events/event-parser'
import type { Gap } from '@/protocol/gap'
import type { StreamError } from '@/client/stream-error'
import type { ReceivedEvent, StreamState } from '@/client/stream-state'
import { useEventSourceClient } from './use-event-source-client'

interface HookOptions<P extends Parsers, Reduced> extends Omit<
  EventSourceClientOptions<P, Reduced>,
  'url' | 'join'
> {
  /**
   * `tabs`: all tabs of the same reader share one connection for topics, whichever they read, and one for each other stream. This
   * needs SharedWorker and Web Locks, so https or localhost, a URL that is not a function, and no `transport: 'fetch'`; otherwise the
   * tab gets its own connection. A tab that opens a stream later starts with the events that the others have. Default: shares nothing.
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
  const { client, isWanted } = useEventSourceClient(url, options)
  const state = useSyncExternalStore(client.subscribe, client.getState, client.getInitialState)

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
