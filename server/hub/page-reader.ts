/** Reads the log for streams that are behind the tail: in pages, encoded, one reading for all streams at the same place. */
import { cursorOf, formatCursor, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import { encodeStoredEvent, type StreamForm } from './encode-stored-event'
import type { EventLog, Judged } from '@/server/log/event-log'

export interface LogPage extends Judged {
  /** The frames; undefined when there are none. */
  chunk: Uint8Array | undefined
  /** How many frames that is. */
  count: number
  /** The first of their events. */
  first: Cursor | undefined
  /** Complete up to here. */
  through: Cursor
  /** Where the tail ended when this was read: beyond that, the log may have lost something since that the tail has never had. */
  tailHead: number
}

export type ReadPage = (form: StreamForm, after: Cursor) => Promise<LogPage>

const limit = 500
const maxBytes = 256 * 1024
const maxKept = 16

/** The reader; a few pages are kept, for streams that replay the same history one behind the other. For as long as there is one tail. */
export function createPageReader(log: EventLog, tailHead: () => number): ReadPage {
  const pages = new Map<string, Promise<LogPage>>()

  return (form, after) => {
    const key = `${formatCursor(after)} ${form.key}`
    const kept = pages.get(key)
    if (kept) return kept

    const page = readPage(log, form, after, tailHead())
    pages.set(key, page)
    const forget = (): void => {
      if (pages.get(key) === page) pages.delete(key)
    }
    page.then(({ isLast }) => {
      // More may follow a last page at any time, in the same place.
      if (isLast) forget()
    }, forget)
    const [oldest] = pages.keys()
    if (pages.size > maxKept && oldest !== undefined) pages.delete(oldest)
    return page
  }
}

async function readPage(
  log: EventLog,
  form: StreamForm,
  after: Cursor,
  tailHead: number,
): Promise<LogPage & { isLast: boolean }> {
  const page = await log.read({ topics: form.topics, after, limit, maxBytes })
  const { events, lost, removed } = page
  const { frames, last } = encodePage(events, form)
  const isCut = frames.length < events.length
  const through = isCut && last ? cursorOf(last) : page.through
  return {
    lost,
    removed,
    chunk: frames.length > 0 ? Buffer.from(frames.join('')) : undefined,
    count: frames.length,
    first: events[0] && cursorOf(events[0]),
    through,
    tailHead,
    isLast: last?.offset !== through.offset,
  }
}

/** As many of the events as make `maxBytes`, but at least one. Frames may be far bigger than the data: a line feed becomes seven bytes. */
function encodePage(
  events: readonly StoredEvent[],
  { envelope }: StreamForm,
): { frames: string[]; last: StoredEvent | undefined } {
  const frames: string[] = []
  let bytes = 0
  let last: StoredEvent | undefined
  for (const event of events) {
    const frame = encodeStoredEvent(event, envelope)
    bytes += Buffer.byteLength(frame)
    if (last && bytes > maxBytes) break
    frames.push(frame)
    last = event
  }
  return { frames, last }
}
