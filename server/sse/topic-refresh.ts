/** Server components that are rendered again when something happens: `sse.cursor` and `sse.LiveRefresh`. */
import type { ReactElement, ReactNode } from 'react'
import { formatCursor } from '@/protocol/cursor'
import type { Topics } from '@/protocol/topics/define-topics'
import type { TopicName } from '@/protocol/topics/topic-types'
import { processEngine } from '@/server/engine'
import { historyOf } from '@/server/hub/history'
import { untilRequest } from './request-scope'
import { checkDefined } from './topic-reader'

export interface LiveRefreshProps<T extends Topics | undefined = undefined> {
  /** An event of one of these topics renders the route again. */
  topics: readonly TopicName<T>[]
  /** Reads what the page shows, and renders it. Called once the cursor is taken. */
  children: () => ReactNode
  /** The path of the topic route, if the app has a `basePath`: both together. Default: the `path` of `createSse`. */
  path?: string | undefined
  /** `tabs`: all tabs share one connection, as in `useTopics`. */
  share?: 'tabs' | undefined
}

export interface TopicRefresh<T extends Topics | undefined> {
  /**
   * The place in the log that a stream must start after, to hear of everything that happens from now on. Take it before the first read of
   * what a page shows, and pass it as `from` to `LiveRefresh` or `useRefresh`: an event between the read and the cursor would be missed.
   * Needs a request, as Next's `connection()` does: with `cacheComponents`, put the component into a `<Suspense>`. In `'use cache'` it
   * throws. With `topics`, a stream of these topics that other tabs have can be shared at once.
   *
   * @throws {ReadError} the topics are invalid
   * @throws {LogError} `unavailable` or `closed`
   *
   * @example
   * const from = await sse.cursor()
   * const orders = await db.orders()
   */
  cursor: (topics?: TopicName<T> | readonly TopicName<T>[]) => Promise<string>
  /**
   * Shows what its children return, and renders the route again, as `router.refresh()` does, when an event of the topics comes. Takes
   * the cursor first, then calls the children, so that nothing is missed. Renders one after another, at most one a second, and none
   * while the page is hidden. Nobody needs to be allowed to read the events to see the page; but to be told of them, the browser reads
   * the topics like any other reader.
   *
   * @example
   * <sse.LiveRefresh topics={['orders']}>{async () => <Orders orders={await db.orders()} />}</sse.LiveRefresh>
   */
  LiveRefresh: (props: LiveRefreshProps<T>) => Promise<ReactElement>
}

/** `path`: where the route of topics is mounted. */
export function createTopicRefresh<T extends Topics | undefined>(
  defined: T | undefined,
  path: string,
): TopicRefresh<T> {
  async function cursor(topics?: string | readonly string[]): Promise<string> {
    if (defined && topics !== undefined) checkDefined(defined, topics)
    await untilRequest()
    const { log } = await processEngine().hub()
    if (topics === undefined) return formatCursor(await log.head())
    return (await historyOf(log, topics, { last: 0 })).cursor
  }

  return {
    cursor,
    async LiveRefresh({ children, ...props }) {
      const from = await cursor(props.topics)
      // Loaded where it is rendered: a script that imports the app's sse.ts must not load React.
      const { renderLive } = await import('./render-live')
      return await renderLive(children, { path, ...props, from })
    },
  }
}
