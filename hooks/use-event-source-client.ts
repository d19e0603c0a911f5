'use client'
/** Binds one EventSource client to a component: opens it when the component mounts, and closes it when the component unmounts. */
import { useEffect, useEffectEvent, useState } from 'react'
import { createEventSourceClient, type EventSourceClient } from '@/client/event-source-client'
import type { Parsers } from '@/client/events/event-parser'
import { joinTabs } from '@/client/tabs/join-tabs'
import type { UseEventSourceOptions } from './use-event-source'

/** The client for `url` and the options of the moment. `isWanted`: the page has a URL, and wants the stream. */
export function useEventSourceClient<P extends Parsers, Reduced>(
  url: string | null | (() => string | Promise<string>),
  options: UseEventSourceOptions<P, Reduced>,
): { client: EventSourceClient<P, Reduced>; isWanted: boolean } {
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
    initialGap: undefined,
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
      join: options.share === 'tabs' ? joinTabs : undefined,
    }),
  })
  const [kept, keep] = useState(create)
  const isSame = kept.key === key && (reader === undefined || reader === kept.reader)
  const current = isSame ? kept : create()
  if (current !== kept) keep(current)
  const { client } = current

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

  return { client, isWanted }
}

/** The client's methods have the same names as the hook's options. */
const callbacks = ['onEvent', 'onGap', 'onReaderChange', 'onError'] as const

/** A client, the key of its options, and the reader it was created for. Another key or reader needs another client. */
interface KeyedClient<P extends Parsers, Reduced> {
  key: string
  /** Undefined when the page did not know the reader. */
  reader: string | undefined
  client: EventSourceClient<P, Reduced>
}
