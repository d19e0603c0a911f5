/** Reads topics in the server's own code: the kept events, followed by new ones. The kept events as a list are in history.ts. */
import { parseDuration } from '@/protocol/duration'
import { cursorOf, formatCursor, parseCursor, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import type { Gap } from '@/protocol/gap'
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
  readonly reason: Gap['reason']
  /** The topics that may have lost events. */
  readonly topics: readonly string[]
  /** The id after which events may be lost. */
  readonly after: string

  constructor(reason: Gap['reason'], topics: readonly string[], after: string) {
    super(`Events of ${topics.join(', ')} after ${after} are no longer kept (${reason}).`)
    this.reason = reason
    this.topics = topics
    this.after = after
  }
}

/** How much is read at once. */
export const page = { limit: 500, maxBytes: 1024 * 1024 }

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

/** @throws {ReadError} `invalid-start` or `invalid-cursor` */
export function startOf({ after, last, since }: ReadFrom): Start | undefined {
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

function throwIfLost(losses: Losses, topics: readonly string[], after: Cursor): void {
  const loss = lossAfter(after, topics, losses)
  if (loss) throw new EventsLostError(loss.reason, loss.topics, formatCursor(after))
}

/** What a reader at the cursor has lost. */
export function lossAfter(
  after: Cursor,
  topics: readonly string[],
  { lost, removed }: Losses,
): Pick<Gap, 'reason' | 'topics'> | undefined {
  if (lost) return { reason: lost, topics }
  const lacking = topics.filter((_, index) => (removed[index] ?? 0) > after.offset)
  return lacking.length > 0 ? { reason: 'trimmed', topics: lacking } : undefined
}

export function toTopicEvent(event: StoredEvent): TopicEvent {
  const { topic, type, data, time } = event
  return { id: formatCursor(cursorOf(event)), topic, type, data, time }
}
