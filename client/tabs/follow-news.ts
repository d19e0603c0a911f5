/** What the worker's news mean to a tab: the same as if a connection of its own had brought them. */
import type { Tell } from '@/client/connection/connection'
import type { SharedNews } from './shared-stream'

/** Tells what is in the news of one connection, in order. */
export function createNewsFollower(tell: Tell): (news: SharedNews) => void {
  let last: SharedNews | undefined

  return (news) => {
    const { stream, seq, items, reader, lastEventId, lastSeenAt, clockOffsetMs } = news
    const { status, error, attempt, retryAt, tabs } = news
    const isSame =
      status === last?.status &&
      attempt === last.attempt &&
      retryAt === last.retryAt &&
      tabs === last.tabs
    last = news
    // First of all: a tab of another reader must hear nothing else.
    tell('facts', { reader })
    for (const [index, item] of items.entries()) {
      const place = { stream, seq: seq - items.length + index + 1 }
      if ('reason' in item) tell('gap', item, place)
      else tell('event', item, place)
    }
    const facts = {
      lastEventId,
      ...(lastSeenAt !== undefined && { lastSeenAt }),
      ...(clockOffsetMs !== undefined && { clockOffsetMs }),
    }
    tell('facts', facts, false, { stream, seq })

    if (status === 'closed') tell('ended')
    else if (status === 'failed' && error) tell('refused', error)
    // The worker makes a stream idle or failed only when it tells no tab of it.
    else if (status !== 'idle' && status !== 'failed' && !isSame) {
      tell('followed', status, { error, attempt, retryAt, tabs })
    }
  }
}
