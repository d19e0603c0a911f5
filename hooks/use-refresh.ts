'use client'
/** Keeps a part of a page up to date: refreshes it when something happens on the server. When, client/refresh-schedule.ts decides. */
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import type { TransportOptions } from '@/client/event-source-client'
import { createRefreshSchedule } from '@/client/refresh-schedule'
import type { StreamState } from '@/client/stream-state'
import { topicsUrl } from './topics-url'
import { useEventSourceClient } from './use-event-source-client'
import type { UseTopicsOptions } from './use-topics'

type StreamOptions = Pick<
  UseTopicsOptions,
  'path' | 'share' | 'enabled' | 'withCredentials' | 'maxAttempts' | 'onReaderChange' | 'onError'
>

interface FromOption {
  /**
   * The cursor from before the part was made: `await sse.cursor()`, before the first read of what the part shows. An event after it
   * refreshes the part, also one that comes before the page has its stream. Used when the part mounts. Default: the part is refreshed once
   * when the stream is open, because nobody knows what happened before.
   */
  from?: string | undefined
}

export type RefreshOptions = StreamOptions & FromOption & TransportOptions

/** The state of the stream that tells when to refresh. */
export type RefreshState = Pick<StreamState, 'status' | 'error'>

/** All parts of a page have one schedule. */
const schedule = createRefreshSchedule()

/** What comes so soon after a reconnect was probably missed before it. */
const missedMs = 1_000
/** When a server is lost, all its pages reconnect. They refresh at random moments within this time. */
const spreadMs = 5_000

/**
 * Calls `refresh` when an event of the topics comes, or may have been lost. On the whole page, one refresh runs at a time, and at most
 * one starts a second; what happens during a refresh leads to another one. None starts while the page is hidden or without its stream.
 * A refresh lasts until its promise settles; when it rejects, it is tried again. The newest `refresh` is called.
 *
 * @example
 * useRefresh(['orders'], () => queryClient.invalidateQueries({ queryKey: ['orders'] }))
 */
export function useRefresh(
  topics: readonly string[],
  refresh: () => unknown,
  options: RefreshOptions = {},
): RefreshState {
  return useKeyedRefresh(topics, refresh, undefined, options)
}

/** The same, where parts with one `key` are refreshed by one call. */
export function useKeyedRefresh(
  topics: readonly string[],
  refresh: () => unknown,
  key: unknown,
  { from, path = '/events', enabled = true, ...options }: RefreshOptions = {},
): RefreshState {
  const { client } = useEventSourceClient(topicsUrl(topics, { path }), {
    ...options,
    enabled: enabled && topics.length > 0,
    initialLastEventId: from,
  })
  const refreshNow = useEffectEvent(refresh)
  const isFromKnown = useEffectEvent(() => from !== undefined)

  useEffect(() => {
    const isReady = (): boolean => client.getState().status === 'open'
    const part = schedule.add({ refresh: () => refreshNow(), key: key ?? client, isReady })
    let { status: last } = client.getState()
    let hasOpened = isReady()
    let isCommonLoss = false
    let spreadUntil = -Infinity

    function mark(): void {
      part.mark(performance.now() < spreadUntil ? Math.random() * spreadMs : 0)
    }
    function onChange(): void {
      const { status } = client.getState()
      if (status === last) return
      last = status
      if (status === 'reconnecting') isCommonLoss = true
      if (status !== 'open') return
      if (!hasOpened && !isFromKnown()) part.mark()
      if (hasOpened && isCommonLoss) spreadUntil = performance.now() + missedMs
      hasOpened = true
      isCommonLoss = false
      part.look()
    }
    const undo = [
      client.onEvent(mark),
      client.onGap(mark),
      client.onReaderChange(mark),
      client.subscribe(onChange),
    ]
    return () => {
      for (const stop of undo) stop()
      part.remove()
    }
  }, [client, key])

  const status = useSyncExternalStore(
    client.subscribe,
    () => client.getState().status,
    () => client.getInitialState().status,
  )
  const error = useSyncExternalStore(
    client.subscribe,
    () => client.getState().error,
    () => client.getInitialState().error,
  )
  return { status, error }
}
