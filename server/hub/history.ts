/** Reads the kept events of topics as a list, for the server's own code. */
import { cursorOf, formatCursor, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import type { Gap } from '@/protocol/gap'
import type { EventLog } from '@/server/log/event-log'
import {
  checkTopics,
  lossAfter,
  page,
  startOf,
  toTopicEvent,
  type ReadFrom,
  type TopicEvent,
} from './read-events'

/** The kept events of some topics. */
export interface KeptEvents<Event = TopicEvent> {
  /** Oldest first. */
  events: Event[]
  /** The cursor from which a stream of the same topics continues. */
  cursor: string
  /** Some events after `after` are no longer kept, so the list may lack them. Undefined when it lacks none. */
  gap: Gap | undefined
}

/**
 * Reads the kept events of the topics, up to `until` if it is given. The cursor is the newest event of these topics up to there.
 * @throws {ReadError}
 * @throws {LogError} `unavailable` or `closed`
 */
export async function historyOf(
  log: EventLog,
  topics: string | readonly string[],
  from: ReadFrom,
  until?: Cursor,
): Promise<KeptEvents> {
  const names = checkTopics(topics)
  const start = startOf(from)
  const place = await log.locate(names, start ?? { since: 0 })
  const all = await readAll(log, names, place.after)
  const through = until && until.offset < all.through.offset ? until : all.through
  const events = all.events.filter(({ offset }) => offset <= through.offset).map(toTopicEvent)
  const newest = events.at(-1)?.id ?? (await newestOf(log, names, through))
  const loss =
    start && 'cursor' in start
      ? lossAfter(start.cursor, names, { lost: place.lost, removed: all.removed })
      : undefined
  const oldest = events[0]?.id ?? null
  const gap = loss && { ...loss, from: from.after ?? '', oldest }
  return { events, cursor: newest ?? formatCursor(through), gap }
}

async function readAll(
  log: EventLog,
  topics: readonly string[],
  start: Cursor,
): Promise<{ events: StoredEvent[]; through: Cursor; removed: number[] }> {
  const events: StoredEvent[] = []
  for (let after = start; ;) {
    const { events: found, through, removed } = await log.read({ topics, after, ...page })
    events.push(...found)
    after = through
    if (found.at(-1)?.offset !== through.offset) return { events, through, removed }
  }
}

/**
 * The id of the newest event up to `through`; undefined when none is kept. A stream of the same topics stands there, so that a reader with this
 * cursor can share it: it may never have heard of the events of other topics that follow.
 */
async function newestOf(
  log: EventLog,
  topics: readonly string[],
  through: Cursor,
): Promise<string | undefined> {
  const { after } = await log.locate(topics, { last: 1 })
  const { events } = await log.read({ topics, after, limit: 1, maxBytes: page.maxBytes })
  const found = events.find(({ offset }) => offset <= through.offset)
  return found && formatCursor(cursorOf(found))
}
