'use client'
/** Streams the newest run of a topic into a component: long work that the server does, which can be watched, left, found again and stopped. */
import { useCallback, useEffect, useMemo, useRef } from 'react'
import {
  initialRunView,
  reduceRun,
  type ReadValue,
  type RunEvent,
  type RunView,
} from '@/client/run-view'
import type { TransportOptions } from '@/client/event-source-client'
import type { StreamError } from '@/client/stream-error'
import type { Status } from '@/client/stream-state'
import type { Preloaded } from '@/protocol/preloaded'
import type { RunReason, RunStatus } from '@/protocol/run'
import { useEventSource, type UseEventSourceOptions } from './use-event-source'
import { usePreloaded } from './use-preloaded'
import { parseEnvelope } from './use-topics'

interface RunOptions extends Pick<
  UseEventSourceOptions,
  'enabled' | 'share' | 'withCredentials' | 'onError' | 'onReaderChange'
> {
  /**
   * What `sse.preload([topic], { run: 'latest' })` returned: the first render has the run, on the server too, and the stream continues
   * after it. A later one is ignored.
   */
  initial?: Preloaded | undefined
  /**
   * Where the topic route is mounted: the app's `basePath`, if any, followed by the `path` given to `createSse`. May be an absolute URL
   * of another origin. Default `/events`.
   */
  path?: string | undefined
}

export type UseRunOptions = RunOptions & TransportOptions

export interface UseRun<Data = unknown, Event = RunEvent<Data>> {
  /** The run's id; undefined when there is none, or nothing was heard yet. */
  id: string | undefined
  /**
   * `running`, or how the run ended: `done`, `failed`, `stopped`, or `lost` when its process died. `unknown`: there is no run, the server
   * has forgotten it, or it was not heard of yet.
   */
  status: RunStatus
  /** Why it failed or was stopped. */
  reason: RunReason | undefined
  /** The values of the run, oldest first. Updated at most about thirty times a second, and not while the page is hidden. */
  events: readonly Event[]
  /** The newest value. */
  latest: Event | undefined
  /** Values that are not in `events`, because they do not fit their schemas: `onError` has heard of each. Only with schemas of `createHooks`. */
  unreadable: number
  /** Asks the server to stop the run. Resolves with whether the server will. The run goes on until its `status` says otherwise. */
  stop: () => Promise<boolean>
  /** The status of the stream, as in useTopics. */
  connection: Status
  /** Why the stream is reconnecting, paused or failed. */
  error: StreamError | undefined
}

/**
 * Follows the newest run of a topic. A page that is loaded again, another tab and another device find it where it is, and go on with the
 * next one when it begins. Leaving the page does not stop the run.
 *
 * @example
 * const { latest, status, stop } = useRun<{ done: number; total: number }>('import.42', { initial })
 */
export function useRun<Data = unknown>(topic: string, options?: UseRunOptions): UseRun<Data> {
  // Without a schema, nobody checks that the values are `Data`.
  return useReadRun(topic, options) as UseRun<Data>
}

/** `useRun` with a function that reads the values. Default: any JSON. */
export function useReadRun(
  topic: string,
  { initial, path = '/events', ...options }: UseRunOptions = {},
  readValue?: ReadValue,
): UseRun {
  const url = `${path}/${encodeURIComponent(topic)}`
  const {
    reduced,
    unreadable,
    status: connection,
    error,
  } = useEventSource<typeof types, RunView>(`${url}?envelope=1&since=run`, {
    ...options,
    ...usePreloaded(initial, [topic], path),
    types,
    reduce: { initialState, reducer: (view, event) => takeEvent(view, event, readValue) },
    // The values are in the view.
    maxEvents: 1,
  })
  const { id, status, reason, list, count } = reduced
  const { withCredentials = false, headers } = options
  const newest = useRef({ withCredentials, headers })
  useEffect(() => {
    newest.current = { withCredentials, headers }
  })
  const stop = useCallback(
    () => askToStop(`${url}?run=${id ?? 'latest'}&op=stop`, newest.current),
    [url, id],
  )

  return useMemo(() => {
    const events = list.slice(0, count)
    const latest = events.at(-1)
    return { id, status, reason, events, latest, unreadable, stop, connection, error }
  }, [id, status, reason, list, count, unreadable, stop, connection, error])
}

const types = { message: parseEnvelope }

type Received = Parameters<typeof reduceRun>[1]

const initialState = initialRunView()

function takeEvent(
  view: RunView,
  { type, data, receivedAt }: ReceivedItem,
  readValue: ReadValue | undefined,
): RunView {
  // Only `run.state` is no event of the topic, and comes without an envelope.
  if (typeof data === 'string') return reduceRun(view, { type, data, time: receivedAt })
  return data ? reduceRun(view, data, readValue) : view
}

interface ReceivedItem {
  type: string
  data: Received | string | undefined
  receivedAt: number
}

async function askToStop(
  url: string,
  { withCredentials, headers }: Pick<UseRunOptions, 'withCredentials' | 'headers'>,
): Promise<boolean> {
  try {
    const credentials = withCredentials ? 'include' : 'same-origin'
    const sent = typeof headers === 'function' ? await headers() : headers
    const { ok } = await fetch(url, { method: 'POST', credentials, ...(sent && { headers: sent }) })
    return ok
  } catch {
    // There is no network, or no server.
    return false
  }
}
