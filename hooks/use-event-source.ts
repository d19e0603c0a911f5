'use client'
/**
 * Binds one EventSource client to a component: opened when it mounts, closed when it unmounts. What a stream is and does
 * is the client's: event-source-client.ts.
 */
import { useEffect, useEffectEvent, useMemo, useSyncExternalStore } from 'react'
import {
  createEventSourceClient,
  initialStreamState,
  type EventSourceClient,
  type EventSourceClientOptions,
  type ReceivedEvent,
  type StreamState,
} from './event-source-client'
import type { Gap } from './gap'

export interface UseEventSourceOptions extends Omit<EventSourceClientOptions, 'url'> {
  /** While false the stream is closed, and `open()` does nothing. Default true. */
  enabled?: boolean | undefined
  /** Sees every event as it arrives, also those that `events` no longer holds. */
  onEvent?: ((event: ReceivedEvent) => void) | undefined
  /** Hears when the server could not go on where the stream was: events may be missing before the next one. */
  onGap?: ((gap: Gap) => void) | undefined
}

export type UseEventSource = StreamState & Pick<EventSourceClient, 'open' | 'close' | 'clear'>

/**
 * Streams `url` into a component. Another URL, `withCredentials` or `types` is another stream, with a list of its own.
 *
 * @example
 * const { status, events, open, close, clear } = useEventSource('/events')
 */
export function useEventSource(
  url: string,
  {
    enabled = true,
    withCredentials,
    types,
    initialLastEventId,
    onEvent,
    onGap,
  }: UseEventSourceOptions = {},
): UseEventSource {
  const typeList = types?.join('\n')
  const client = useMemo(
    () =>
      createEventSourceClient({
        url,
        withCredentials,
        types: typeList?.split('\n'),
        initialLastEventId,
      }),
    [url, withCredentials, typeList, initialLastEventId],
  )
  const state = useSyncExternalStore(client.subscribe, client.getState, initialStreamState)

  const deliver = useEffectEvent((event: ReceivedEvent) => onEvent?.(event))
  useEffect(() => client.onEvent((event) => deliver(event)), [client])

  const deliverGap = useEffectEvent((gap: Gap) => onGap?.(gap))
  useEffect(() => client.onGap((gap) => deliverGap(gap)), [client])

  useEffect(() => {
    if (!enabled) return undefined
    client.open()
    return () => client.close()
  }, [client, enabled])

  return useMemo(
    () => ({
      ...state,
      open: enabled ? client.open : () => {},
      close: client.close,
      clear: client.clear,
    }),
    [state, client, enabled],
  )
}
