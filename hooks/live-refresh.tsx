'use client'
/** Renders the server components of a page again when something happens. */
import { useRouter } from 'next/navigation'
import { useEffect, useRef, useTransition } from 'react'
import { useKeyedRefresh, type RefreshOptions } from './use-refresh'

export type LiveRefreshProps = RefreshOptions & {
  /** 1 to 32 topics. An event of one of them refreshes the page. */
  topics: readonly string[]
}

/** The key of all these parts: a page has one route. Not the router, because each component gets an object of its own. */
const route = 'route'

/**
 * Refreshes the route, as `router.refresh()` does, when an event of the topics comes after `from`; see useRefresh. Shows nothing.
 * `sse.LiveRefresh` is the same with the cursor taken for you.
 *
 * @example
 * const from = await sse.cursor()
 * const orders = await db.orders()
 * return <><Orders orders={orders} /><LiveRefresh topics={['orders']} from={from} /></>
 */
export function LiveRefresh({ topics, ...options }: LiveRefreshProps): null {
  const router = useRouter()
  const [isPending, startTransition] = useTransition()
  const end = useRef(() => {})

  useEffect(() => {
    if (!isPending) end.current()
  }, [isPending])
  // React tells a component that is gone nothing more, so nobody would hear the end.
  useEffect(() => () => end.current(), [])

  const refresh = (): Promise<void> =>
    new Promise((resolve) => {
      end.current = resolve
      startTransition(() => router.refresh())
    })
  useKeyedRefresh(topics, refresh, route, options)
  return null
}
