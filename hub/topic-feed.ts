/**
 * A stream's place in the log, as a feed. Holds a position and at most one chunk: what it has not sent yet stays in the tail
 * or in the log.
 */
import { encodeControl } from '@/events/control-events'
import { formatCursor, type Cursor } from '@/events/cursor'
import { settle, type Feed, type OnReady } from '@/events/feed'
import { delivered, metrics } from '@/observe/metrics'
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
  /** Makes sure that there is a tail, and that `feed` is woken with every flush that has events of its topics, until `leave`. */
  join(feed: PlacedFeed): Promise<void>
  leave(feed: PlacedFeed): void
  /** Reads the log, for feeds that are behind the tail. Waits while the log is away. */
  readPage(form: StreamForm, after: Cursor, signal: AbortSignal): Promise<LogPage>
}

/** A feed that has begun. */
export interface PlacedFeed {
  readonly form: StreamForm
  /** It has everything of its own up to here. */
  offset(): number
  /** Does nothing to a feed that is not asleep. */
  wake(): void
}

/** Nothing is held before the first `whenReady`. */
export function createTopicFeed(source: FeedSource, form: StreamForm, start: FeedStart): Feed {
  let { epoch, offset } = start.after
  let { lost } = start
  // What is missing up to here has been told, or was never promised.
  let toldUpTo = start.removedUpTo
  let next: Uint8Array | undefined
  let joined = false
  let asleep: OnReady | undefined
  let reading: AbortController | undefined
  let isClosed = false

  /** A sleeping feed has everything of its own up to the last flush, though no frame told it so. */
  function position(): Cursor {
    if (asleep && offset < source.flushedTo) offset = source.flushedTo
    return { epoch, offset }
  }

  const placed: PlacedFeed = {
    form,
    offset: () => position().offset,
    wake() {
      if (!asleep) return
      position()
      const onReady = asleep
      asleep = undefined
      onReady()
    },
  }

  function resync({ reason, oldest }: Lost, from: string): Buffer {
    metrics.resyncs.inc({ reason })
    const data = { reason, from, oldest: oldest ? formatCursor(oldest) : null }
    return Buffer.from(encodeControl('resync', data, { id: formatCursor({ epoch, offset }) }))
  }

  function isBehind(tail: Tail): boolean {
    return epoch !== tail.epoch || offset < tail.from
  }

  async function readBehind(): Promise<void> {
    const after = { epoch, offset }
    reading ??= new AbortController()
    const page = await source.readPage(form, after, reading.signal)
    if (isClosed) return
    const { lost: missed } = page
    if (missed && (missed.reason !== 'trimmed' || missed.upTo > toldUpTo)) {
      toldUpTo = missed.upTo
      ;({ epoch, offset } = page.start)
      next = resync(missed, formatCursor(after))
      if (page.chunk) next = Buffer.concat([next, page.chunk])
    } else {
      next = page.chunk
    }
    delivered.events += page.count
    ;({ epoch, offset } = page.through)
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
      if (!joined || !tail || isBehind(tail)) return undefined
      const { chunk, count, through } = tail.take(form, offset, maxBytes)
      delivered.events += count
      if (offset < through) offset = through
      return chunk
    },
    whenReady(onReady) {
      if (isClosed) return
      if (!joined) {
        joined = true
        settle(source.join(placed), onReady)
      } else if (!source.tail || isBehind(source.tail)) {
        settle(readBehind(), onReady)
      } else {
        asleep = onReady
      }
    },
    close() {
      if (isClosed) return Promise.resolve()
      isClosed = true
      reading?.abort()
      if (joined) source.leave(placed)
      return Promise.resolve()
    },
  }
}
