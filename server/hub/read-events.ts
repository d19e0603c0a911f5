/** Reads topics in the server's own code: the kept events as a list, or the kept events followed by new ones. */
import { parseDuration } from '@/protocol/duration'
import { cursorOf, formatCursor, parseCursor, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import { maxTopics, parseTopics } from '@/protocol/topics/topic'
import type { EventLog, Losses, Start } from '@/server/log/event-log'

/** An event as server code reads it. */
export interface TopicEvent {
  /** The cursor of the event. Pass it as `after` to continue after this event. */
  id: string
  topic: string
  type: string
  /** The text, as published. */
  data: string
  /** When it was appended, in milliseconds since the Unix epoch. */
  time: number
}

/** Where to start. Set at most one of these. */
export interface ReadFrom {
  /** After the event with this id. */
  after?: string | undefined
  /** With the newest `last` events. */
  last?: number | undefined
  /** With the events of the last `since`: a duration such as `10m`, or `all`. */
  since?: string | undefined
}

/** The topics or the start are invalid. */
export class ReadError extends Error {
  override name = 'ReadError'
  readonly code:
    | 'invalid-topic'
    | 'unknown-topic'
    | 'too-many-topics'
    | 'invalid-cursor'
    | 'invalid-start'

  constructor(code: ReadError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Events that the reader has not read yet are no longer kept: they were removed, or the log lost them. */
export class EventsLostError extends Error {
  override name = 'EventsLostError'
  readonly code = 'events-lost'
  readonly reason: 'trimmed' | 'epoch' | 'future'
  /** The topics that may have lost events. */
  readonly topics: readonly string[]
  /** The id after which events may be lost. */
  readonly after: string

  constructor(reason: EventsLostError['reason'], topics: readonly string[], after: string) {
    super(`Events of ${topics.join(', ')} after ${after} are no longer kept (${reason}).`)
    this.reason = reason
    this.topics = topics
    this.after = after
  }
}

const page = { limit: 500, maxBytes: 1024 * 1024 }

/**
 * Reads the kept events of the topics, oldest first, up to `until` if it is given, and the cursor from which a stream of the same topics
 * continues: the newest event of these topics up to there.
 * @throws {ReadError}
 * @throws {LogError} `unavailable` or `closed`
 */
export async function historyOf(
  log: EventLog,
  topics: string | readonly string[],
  from: ReadFrom,
  until?: Cursor,
): Promise<{ events: TopicEvent[]; cursor: string }> {
  const names = checkTopics(topics)
  const start = startOf(from)
  const { after } = await log.locate(names, start ?? { since: 0 })
  const all = await readAll(log, names, after)
  const through = until && until.offset < all.through.offset ? until : all.through
  const events = all.events.filter(({ offset }) => offset <= through.offset)
  const newest = events.at(-1) ?? (await newestOf(log, names, through))
  return { events: events.map(toTopicEvent), cursor: formatCursor(newest ?? through) }
}

async function readAll(
  log: EventLog,
  topics: readonly string[],
  start: Cursor,
): Promise<{ events: StoredEvent[]; through: Cursor }> {
  const events: StoredEvent[] = []
  for (let after = start; ;) {
    const { events: found, through } = await log.read({ topics, after, ...page })
    events.push(...found)
    after = through
    if (found.at(-1)?.offset !== through.offset) return { events, through }
  }
}

/**
 * The newest event up to `through`; undefined when none is kept. A stream of the same topics stands there, so that a reader with this
 * cursor can share it: it may never have heard of the events of other topics that follow.
 */
async function newestOf(
  log: EventLog,
  topics: readonly string[],
  through: Cursor,
): Promise<StoredEvent | undefined> {
  const { after } = await log.locate(topics, { last: 1 })
  const { events } = await log.read({ topics, after, limit: 1, maxBytes: page.maxBytes })
  return events.find(({ offset }) => offset <= through.offset)
}

/**
 * Yields the kept events of the topics from the start on, then new ones, until the signal aborts. Reads a page when it is needed.
 * @throws {ReadError}
 * @throws {EventsLostError} events were removed before they were read, or the log lost events
 * @throws {LogError} `unavailable` or `closed`
 */
export async function* readEvents(
  log: EventLog,
  topics: string | readonly string[],
  from: ReadFrom,
  signal: AbortSignal,
): AsyncGenerator<TopicEvent, void, undefined> {
  const names = checkTopics(topics)
  const start = startOf(from)
  if (signal.aborted) return
  const ended = new AbortController()
  const news = createNews(signal)
  // Watch first, then read: otherwise an append between the two would go unnoticed.
  log.watch(news.notify, { signal: ended.signal })
  try {
    const place = start ? await log.locate(names, start) : { after: await log.head(), removed: [] }
    const presented = start && 'cursor' in start ? start.cursor : undefined
    if (presented) throwIfLost(place, names, presented)
    let { after } = place
    // A reader that starts by age or count was never promised the events removed before its start.
    let promised = presented ? names.map(() => 0) : place.removed
    for (;;) {
      news.expect()
      const read = await log.read({ topics: names, after, ...page })
      if (signal.aborted) return
      throwIfLost(
        {
          ...read,
          removed: read.removed.map((upTo, index) => (upTo > (promised[index] ?? 0) ? upTo : 0)),
        },
        names,
        after,
      )
      for (const event of read.events) {
        yield toTopicEvent(event)
        if (signal.aborted) return
        after = cursorOf(event)
      }
      after = read.through
      if (promised.every((upTo) => upTo <= after.offset)) promised = []
      if (read.events.at(-1)?.offset !== after.offset) await news.next()
      if (signal.aborted) return
    }
  } finally {
    ended.abort()
  }
}

/** `next` resolves once `notify` was called since the last `expect`, or the signal aborts. */
function createNews(signal: AbortSignal): {
  notify: () => void
  expect: () => void
  next: () => Promise<void>
} {
  let isNew = false
  let wake: (() => void) | undefined
  const notify = (): void => {
    isNew = true
    wake?.()
  }
  return {
    notify,
    expect() {
      isNew = false
    },
    async next() {
      if (isNew || signal.aborted) return
      await new Promise<void>((resolve) => {
        wake = resolve
        signal.addEventListener('abort', notify)
      })
      signal.removeEventListener('abort', notify)
      wake = undefined
    },
  }
}

/** @throws {ReadError} `invalid-topic` or `too-many-topics` */
export function checkTopics(topics: string | readonly string[]): string[] {
  const parsed = parseTopics(typeof topics === 'string' ? topics : topics.join(','))
  if ('topics' in parsed) return parsed.topics
  if (parsed.fault === 'too-many') {
    throw new ReadError('too-many-topics', `Name up to ${maxTopics} topics.`)
  }
  const item = parsed.fault === 'malformed-item' ? parsed.item : ''
  throw new ReadError('invalid-topic', `${JSON.stringify(item)} is not a topic.`)
}

function startOf({ after, last, since }: ReadFrom): Start | undefined {
  if ([after, last, since].filter((value) => value !== undefined).length > 1) {
    throw new ReadError('invalid-start', '`after`, `last` and `since` exclude each other.')
  }
  if (after !== undefined) {
    const cursor = parseCursor(after)
    if (cursor) return { cursor }
    throw new ReadError('invalid-cursor', `${JSON.stringify(after)} is not the id of an event.`)
  }
  if (last !== undefined) {
    if (Number.isSafeInteger(last) && last >= 0) return { last }
    throw new ReadError('invalid-start', '`last` must be a whole number.')
  }
  if (since === undefined) return undefined
  const agoMs = since === 'all' ? Infinity : parseDuration(since)
  if (agoMs !== undefined) return { since: Math.max(0, Date.now() - agoMs) }
  throw new ReadError(
    'invalid-start',
    '`since` must be `all` or a duration, such as 15s, 10m or 24h.',
  )
}

function throwIfLost({ lost, removed }: Losses, topics: readonly string[], after: Cursor): void {
  const id = formatCursor(after)
  if (lost) throw new EventsLostError(lost, topics, id)
  const lacking = topics.filter((_, index) => (removed[index] ?? 0) > after.offset)
  if (lacking.length > 0) throw new EventsLostError('trimmed', lacking, id)
}

function toTopicEvent(event: StoredEvent): TopicEvent {
  const { topic, type, data, time } = event
  return { id: formatCursor(cursorOf(event)), topic, type, data, time }
}
