/**
 * A stream's place in the log, as a feed. Holds a position and at most one chunk: what it has not sent yet stays in the tail
 * or in the log.
 */
import { encodeControl, type ControlEvents } from '@/protocol/control-events'
import { formatCursor, type Cursor } from '@/protocol/cursor'
import { settle, type Feed, type OnReady } from '@/server/stream/feed'
import { metrics } from '@/server/observe/metrics'
import type { StreamForm } from './encode-stored-event'
import type { Judged, LostReason } from '@/server/log/event-log'
import type { LogPage } from './page-reader'
import type { Tail } from './tail'

/** Where a stream starts, and what the log said of that place. */
export interface FeedStart extends Judged {
  after: Cursor
  /** The cursor that the reader presented, as it came: what was lost after it must be told. */
  presented?: string | undefined
  /** The tail that there was before the log was asked, and how far it went then: up to there it agrees with what the log said. */
  known: KnownTail | undefined
}

export interface KnownTail {
  tail: Tail
  head: number
}

/** What a feed needs of its hub. */
export interface FeedSource {
  /** Undefined before the first stream began. Another one when the log has lost what this one had. */
  readonly tail: Tail | undefined
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

interface Loss {
  reason: ControlEvents['resync']['reason']
  topics: string[]
}

/** Nothing is held before the first `whenReady`. */
export function createTopicFeed(source: FeedSource, form: StreamForm, start: FeedStart): Feed {
  const { presented } = start
  let position = start.after
  /** For each topic, the offset up to which a loss was told, or never promised. Undefined once the position is beyond all of them. */
  let told: number[] | undefined = presented === undefined || start.lost ? start.removed : undefined
  /** What the reader must be told first, once it is known what is kept. */
  let lostAtStart = lossOf(start)
  /** The tail that knows the position. Undefined while only the log can judge it. */
  let own = lostAtStart ? undefined : start.known?.tail
  /** Where the tail ended when the log was further. It may lose something before the tail gets there. */
  let aheadOf = headBelow(start.known?.head ?? 0)
  let next: Uint8Array | undefined
  let joined = false
  let asleep: OnReady | undefined
  let reading: AbortController | undefined
  let isClosed = false

  /** What a reader at the position has lost, and was not told of. */
  function lossOf({ lost, removed }: Judged): Loss | undefined {
    if (lost) return { reason: lost satisfies LostReason, topics: [...form.topics] }
    const topics = form.topics.filter((_, index) => {
      const upTo = removed[index] ?? 0
      return upTo > position.offset && upTo > (told?.[index] ?? 0)
    })
    return topics.length > 0 ? { reason: 'trimmed', topics } : undefined
  }

  /** A sleeping feed has everything of its own up to the last flush, though no frame told it so. */
  function currentPosition(): Cursor {
    if (asleep && own && position.offset < own.flushedTo.offset && isInTail(own)) {
      position = own.flushedTo
    }
    return position
  }

  const placed: PlacedFeed = {
    form,
    offset: () => currentPosition().offset,
    wake() {
      if (!asleep) return
      currentPosition()
      const onReady = asleep
      asleep = undefined
      onReady()
    },
  }

  function resync({ reason, topics }: Loss, from: string, first: Cursor | undefined): Buffer {
    metrics.resyncs.inc({ reason })
    const data = { reason, from, oldest: first ? formatCursor(first) : null, topics }
    return Buffer.from(encodeControl('resync', data, { id: formatCursor(position) }))
  }

  function isBehind(tail: Tail): boolean {
    if (position.offset < tail.from) return true
    // One that has gone on since, but not to the position: the log knows why.
    if (tail === own) return !isInTail(tail) && tail.head.offset !== aheadOf
    const { epoch, offset } = tail.start
    if (lostAtStart || position.epoch !== epoch || position.offset !== offset) return true
    own = tail
    aheadOf = undefined
    return false
  }

  /** Whether the tail has come to the position, and not to another event of that offset. */
  function isInTail(tail: Tail): boolean {
    if (aheadOf !== undefined && tail.includes(position)) aheadOf = undefined
    return aheadOf === undefined
  }

  function headBelow(head: number): number | undefined {
    return head < position.offset ? head : undefined
  }

  async function readBehind(): Promise<void> {
    // One that comes while the page is read may know of a loss that the page does not.
    const { tail } = source
    const from = lostAtStart ? (presented ?? '') : formatCursor(position)
    reading ??= new AbortController()
    const page = await source.readPage(form, position, reading.signal)
    if (isClosed) return
    const isOfAllTopics = lostAtStart && lostAtStart.reason !== 'trimmed' && !page.lost
    const loss = isOfAllTopics ? lostAtStart : (lossOf(page) ?? lostAtStart)
    next = page.chunk
    if (loss) {
      told = page.removed
      position = page.first ? { ...page.first, offset: page.first.offset - 1 } : page.through
      next = resync(loss, from, page.first)
      if (page.chunk) next = Buffer.concat([next, page.chunk])
    }
    lostAtStart = undefined
    metrics.delivered.events += page.count
    moveTo(page.through)
    own = tail
    aheadOf = headBelow(page.tailHead)
  }

  function moveTo(cursor: Cursor): void {
    position = cursor
    if (told?.every((offset) => offset <= cursor.offset)) told = undefined
  }

  return {
    get cursor() {
      return lostAtStart ? presented : formatCursor(currentPosition())
    },
    resumed: presented !== undefined && !lostAtStart,
    take(maxBytes) {
      if (next) {
        const chunk = next
        next = undefined
        return chunk
      }
      const { tail } = source
      if (!joined || !tail || isBehind(tail)) return undefined
      const { chunk, count, through } = tail.take(form, position.offset, maxBytes)
      metrics.delivered.events += count
      if (position.offset < through.offset) moveTo(through)
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
