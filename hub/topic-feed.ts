/**
 * A stream's place in the log, as a feed. Holds a position and at most one chunk: what it has not sent yet stays in the tail
 * or in the log.
 */
import { encodeControl } from '@/events/control-events'
import { formatCursor, type Cursor } from '@/events/cursor'
import type { Feed } from '@/events/feed'
import { metrics } from '@/observe/metrics'
import type { StreamForm } from './encode-stored-event'
import type { Lost } from './event-log'
import type { LogPage } from './page-reader'
import type { Tail } from './tail'

/** Where a stream starts, and what its reader must be told first. */
export interface FeedStart {
  after: Cursor
  /** The cursor that the reader presented, as it came. */
  presented?: string | undefined
  /** Why that cursor can't be honoured. */
  lost?: Lost | undefined
  /** What was no longer kept before lies at or before this offset. */
  removedUpTo: number
}

/** What a feed needs of its hub. */
export interface FeedSource {
  /** Undefined before the first stream began. */
  readonly tail: Tail | undefined
  /** The offset up to which every sleeping feed has been woken for what is its own. */
  readonly flushedTo: number
  /** Makes sure that there is a tail, until `leave`. */
  join(feed: PlacedFeed): Promise<void>
  leave(feed: PlacedFeed): void
  /** Reads the log, for feeds that are behind the tail. Waits while the log is away. */
  readPage(form: StreamForm, after: Cursor, signal: AbortSignal): Promise<LogPage>
  /** Wakes `feed` with the next flush that has events of its topics. */
  sleep(feed: Sleeper): void
  forget(feed: Sleeper): void
}

/** A feed that has begun. */
export interface PlacedFeed {
  /** It has everything of its own up to here. */
  offset(): number
}

export interface Sleeper {
  readonly form: StreamForm
  wake(): void
}

/** Nothing is held before the first `ready`. */
export function createTopicFeed(source: FeedSource, form: StreamForm, start: FeedStart): Feed {
  const closed = new AbortController()
  let { after, lost } = start
  // What is missing up to here has been told, or was never promised.
  let toldUpTo = start.removedUpTo
  let next: Uint8Array | undefined
  let joined = false
  let asleep: (() => void) | undefined

  const sleeper: Sleeper = {
    form,
    wake() {
      after = position()
      const resolve = asleep
      asleep = undefined
      resolve?.()
    },
  }

  /** A sleeping feed has everything of its own up to the last flush, though no frame told it so. */
  function position(): Cursor {
    if (asleep) after = { ...after, offset: Math.max(after.offset, source.flushedTo) }
    return after
  }

  const placed: PlacedFeed = { offset: () => position().offset }

  function resync({ reason, oldest }: Lost, from: string): Buffer {
    metrics.resyncs.inc({ reason })
    const data = { reason, from, oldest: oldest ? formatCursor(oldest) : null }
    return Buffer.from(encodeControl('resync', data, { id: formatCursor(after) }))
  }

  async function readBehind(): Promise<void> {
    const from = formatCursor(after)
    const page = await source.readPage(form, after, closed.signal)
    if (closed.signal.aborted) return
    const { lost: missed } = page
    if (missed && (missed.reason !== 'trimmed' || missed.upTo > toldUpTo)) {
      toldUpTo = missed.upTo
      after = page.start
      next = resync(missed, from)
      if (page.chunk) next = Buffer.concat([next, page.chunk])
    } else {
      next = page.chunk
    }
    metrics.eventsDelivered.inc(page.count)
    after = page.through
  }

  return {
    get cursor() {
      return lost ? start.presented : formatCursor(position())
    },
    resumed: start.presented !== undefined && lost === undefined,
    take(maxBytes) {
      if (lost) {
        const frame = resync(lost, start.presented ?? '')
        lost = undefined
        return frame
      }
      if (next) {
        const chunk = next
        next = undefined
        return chunk
      }
      const { tail } = source
      if (!joined || !tail || isBehind(tail, after)) return undefined
      const { chunk, count, through } = tail.take(form, after.offset, maxBytes)
      if (count > 0) metrics.eventsDelivered.inc(count)
      after = { ...after, offset: Math.max(after.offset, through) }
      return chunk
    },
    async ready() {
      if (closed.signal.aborted) return
      if (!joined) {
        joined = true
        await source.join(placed)
        return
      }
      if (!source.tail || isBehind(source.tail, after)) return await readBehind()
      await new Promise<void>((resolve) => {
        asleep = resolve
        source.sleep(sleeper)
      })
    },
    close() {
      if (closed.signal.aborted) return Promise.resolve()
      closed.abort()
      source.forget(sleeper)
      sleeper.wake()
      if (joined) source.leave(placed)
      return Promise.resolve()
    },
  }
}

function isBehind(tail: Tail, after: Cursor): boolean {
  return after.epoch !== tail.epoch || after.offset < tail.from
}
