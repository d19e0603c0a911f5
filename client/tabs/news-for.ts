/** What a tab is told of its stream: what it has not yet heard, or, before the server has said that it may, only how the stream stands. */
import { readerChanged } from '@/client/stream-error'
import type { HostedStream, Tab } from './hosted-stream'
import type { SharedNews } from './shared-stream'

/** `lock` is the one that the worker holds. */
export function newsFor(tab: Tab, stream: HostedStream, lock: string): SharedNews {
  const { status, error, attempt, retryAt, lastSeenAt, clockOffsetMs, lastEventId, reader } =
    stream.state
  const where = { lock, stream: stream.name, tabs: stream.tabs.size }
  const how = { status, error, attempt, retryAt, lastSeenAt, clockOffsetMs }
  if (tab.isAdmitted && !stream.isOver) {
    const { items, seq } = stream
    const unread = items.slice(items.length - (seq - tab.seq))
    return { ...where, ...how, seq, items: unread, lastEventId, reader }
  }
  const nothing = { seq: tab.seq, items: [], lastEventId: tab.cursor, reader: undefined }
  if (stream.isOver) {
    return { ...where, ...how, ...nothing, status: 'failed', error: readerChanged }
  }
  const isAsked = status === 'open' && reader !== undefined
  return { ...where, ...how, ...nothing, status: isAsked ? 'connecting' : status }
}
