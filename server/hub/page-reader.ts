/** Reads encoded pages of the log for streams that are behind the tail. Streams at the same place share one read. */
import { cursorOf, formatCursor, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import { encodeStoredEvent } from './encode-stored-event'
import { framesKeyOf, isBeyond, isEndOf, type Selection } from './selection'
import type { EventLog, Losses } from '@/server/log/event-log'

export interface LogPage extends Losses {
  /** The frames; undefined when there are none. */
  chunk: Uint8Array | undefined
  /** How many frames the chunk has. */
  count: number
  /** The cursor of the first event in the chunk. */
  first: Cursor | undefined
  /** The page is complete up to this cursor. */
  through: Cursor
  /**
   * The offset of the tail's head when this page was read. The page has no events beyond it: the tail delivers those, because it knows
   * of the disconnects among them. And beyond it, the log may since have lost events that the tail never had.
   */
  tailHead: number
  /** True when the selected run ends here, and nothing more may be taken. */
  isEnd: boolean
}

export type ReadPage = (selection: Selection, after: Cursor) => Promise<LogPage>

const limit = 500
const maxBytes = 256 * 1024
const maxKept = 16

/**
 * Keeps the last few pages, because streams that replay the same history often ask for the same page shortly after one another.
 * The hub creates another reader with each new tail.
 */
export function createPageReader(log: EventLog, tailHead: () => number): ReadPage {
  const pages = new Map<string, Promise<LogPage>>()

  return (selection, after) => {
    const key = `${formatCursor(after)} ${framesKeyOf(selection)}`
    const kept = pages.get(key)
    if (kept) return kept

    const page = readPage(log, selection, after, tailHead())
    pages.set(key, page)
    const forget = (): void => {
      if (pages.get(key) === page) pages.delete(key)
    }
    page.then(({ isLast }) => {
      // The last page of the log is not kept: new events would make it stale.
      if (isLast) forget()
    }, forget)
    const [oldest] = pages.keys()
    if (pages.size > maxKept && oldest !== undefined) pages.delete(oldest)
    return page
  }
}

async function readPage(
  log: EventLog,
  selection: Selection,
  after: Cursor,
  tailHead: number,
): Promise<LogPage & { isLast: boolean }> {
  const page = await log.read({ topics: selection.topics, after, limit, maxBytes })
  const { lost, removed } = page
  const beyond = page.events.find(({ offset }) => offset > tailHead)
  const events = page.events.filter(({ offset }) => offset <= tailHead)
  const { frames, last, isEnd } = encodePage(events, selection)
  let { through } = page
  if (last && frames.length < events.length) through = cursorOf(last)
  else if (beyond) {
    const isAhead = !lost && after.offset > tailHead
    through = isAhead ? after : { epoch: beyond.epoch, offset: tailHead }
  }
  return {
    lost,
    removed,
    chunk: frames.length > 0 ? Buffer.from(frames.join('')) : undefined,
    count: frames.length,
    first: page.events[0] && cursorOf(page.events[0]),
    through,
    tailHead,
    isEnd,
    isLast: beyond !== undefined || last?.offset !== through.offset,
  }
}

/**
 * Encodes events up to `maxBytes` in total, but at least one. Counts frames, because a frame can be far bigger than its data: a
 * line feed becomes seven bytes.
 */
function encodePage(
  events: readonly StoredEvent[],
  selection: Selection,
): { frames: string[]; last: StoredEvent | undefined; isEnd: boolean } {
  const { span } = selection
  const frames: string[] = []
  let bytes = 0
  let last: StoredEvent | undefined
  let isEnd = false
  for (const event of events) {
    isEnd = isBeyond(span, event)
    if (isEnd) break
    const frame = encodeStoredEvent(event, selection)
    bytes += Buffer.byteLength(frame)
    if (last && bytes > maxBytes) break
    frames.push(frame)
    last = event
    isEnd = isEndOf(span, event)
    if (isEnd) break
  }
  return { frames, last, isEnd }
}
