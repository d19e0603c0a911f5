/** Reads the log for streams that are behind the tail: in pages, encoded, one reading for all streams at the same place. */
import { formatCursor, type Cursor } from '@/events/cursor'
import { encodeStoredEvent, type StreamForm } from './encode-stored-event'
import type { EventLog, Lost } from './event-log'

export interface LogPage {
  /** Where the page begins: the cursor asked for, or the next that can be honoured. */
  start: Cursor
  /** The frames; undefined when there are none. */
  chunk: Uint8Array | undefined
  /** How many frames that is. */
  count: number
  /** Complete up to here. */
  through: Cursor
  lost: Lost | undefined
}

export type ReadPage = (form: StreamForm, after: Cursor) => Promise<LogPage>

const limit = 500
const maxBytes = 256 * 1024
const maxKept = 16

/** The reader; a few pages are kept, for streams that replay the same history one behind the other. */
export function createPageReader(log: EventLog): ReadPage {
  const pages = new Map<string, Promise<LogPage>>()

  return (form, after) => {
    const key = `${formatCursor(after)} ${form.key}`
    const kept = pages.get(key)
    if (kept) return kept

    const page = readPage(log, form, after)
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
): Promise<LogPage & { isLast: boolean }> {
  const { events, through, lost } = await log.read({ topics: form.topics, after, limit, maxBytes })
  const { epoch } = through
  const frames = events.map((event) => encodeStoredEvent(epoch, event, form.envelope))
  const last = events.at(-1)
  return {
    start: lost ? startOf(lost, through) : after,
    chunk: frames.length > 0 ? Buffer.from(frames.join('')) : undefined,
    count: frames.length,
    through,
    lost,
    isLast: last?.offset !== through.offset,
  }
}

function startOf({ oldest }: Lost, through: Cursor): Cursor {
  return oldest ? { ...oldest, offset: oldest.offset - 1 } : through
}
