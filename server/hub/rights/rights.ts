/** Ends the rights of feeds, as disconnects say. A feed that loses its right is told; the caller wakes it afterwards. */
import { matchesTopic } from '@/protocol/topics/topic-pattern'
import type { Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import type { EventLog } from '@/server/log/event-log'
import { disconnectTopic } from '@/server/log/retention'
import { parseDisconnect, type Disconnect } from './disconnects'
import type { FeedIndex } from '@/server/hub/feed-index'
import type { PlacedFeed } from '@/server/hub/placed-feed'

/** Ends every right that a disconnect among these events means. Returns the feeds concerned. */
export function endRights(feeds: FeedIndex, events: readonly StoredEvent[]): PlacedFeed[] {
  return events.flatMap((event) => {
    if (event.topic !== disconnectTopic) return []
    const disconnect = parseDisconnect(event.data)
    const meant = disconnect ? feeds.meantBy(disconnect) : feeds.all()
    return [...meant].filter((feed) => endRight(feed, event, disconnect))
  })
}

/** Ends all rights that can end, because some disconnects may be lost. Returns the feeds concerned. */
export function endAllRights(feeds: FeedIndex): PlacedFeed[] {
  const granted = [...feeds.all()].filter(({ right }) => right !== undefined)
  for (const feed of granted) feed.leave('expired')
  return granted
}

/** Ends the right of one feed if one of these disconnects means it, or if they are unknown. */
export function judgeRight(
  feed: PlacedFeed,
  disconnects: readonly StoredEvent[] | undefined,
): void {
  if (!disconnects) feed.leave('expired')
  for (const event of disconnects ?? []) {
    const disconnect = parseDisconnect(event.data)
    if (!disconnect || isMeant(feed, disconnect)) endRight(feed, event, disconnect)
  }
}

/** The disconnects after a place, up to the log's head. Undefined when some of them may be lost. */
export async function disconnectsAfter(
  from: Cursor,
  read: EventLog['read'],
): Promise<StoredEvent[] | undefined> {
  const found: StoredEvent[] = []
  let after = from
  for (;;) {
    const page = { topics: [disconnectTopic], after, limit: 1_000, maxBytes: 1024 * 1024 }
    const { events, through, lost, removed } = await read(page)
    if (lost || Math.max(...removed) > after.offset) return undefined
    found.push(...events)
    if (events.at(-1)?.offset !== through.offset) return found
    after = through
  }
}

/** Returns false for a right that was granted after the disconnect, or that nothing ends. */
function endRight(
  feed: PlacedFeed,
  { offset }: StoredEvent,
  disconnect: Disconnect | undefined,
): boolean {
  if (!feed.right || feed.right.since.cursor.offset >= offset) return false
  // A newer program has written something unknown, which may mean anyone.
  feed.leave(disconnect ? 'revoked' : 'expired')
  return true
}

function isMeant({ right, selection }: PlacedFeed, disconnect: Disconnect): boolean {
  if ('name' in disconnect) return right?.names.includes(disconnect.name) ?? false
  return selection.topics.some((topic) => matchesTopic(disconnect.topics, topic))
}
