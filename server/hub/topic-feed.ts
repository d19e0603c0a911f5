/**
 * A feed of stored events. It keeps a position in the log and at most one chunk in memory: events that were not sent yet stay
 * in the tail or in the log.
 */
import { encodeControl, type ControlEvents } from '@/protocol/control-events'
import { formatCursor, type Cursor } from '@/protocol/cursor'
import { readyAfter, type Feed, type LeaveReason, type OnReady } from '@/server/stream/feed'
import { pingFrame } from '@/server/stream/stream-frames'
import { metrics } from '@/server/observe/metrics'
import type { Selection } from './selection'
import type { Losses, LostReason } from '@/server/log/event-log'
import type { FeedRight, FeedSource, FeedStart, PlacedFeed } from './placed-feed'
import type { Tail } from './tail'

interface Loss {
  reason: ControlEvents['resync']['reason']
  topics: string[]
}

/** Made once: an error of its own, with its stack, takes 8 µs for each stream that closes. */
const closed = new DOMException('The feed is closed.', 'AbortError')

/** Acquires nothing before the first `whenReady`, which joins the hub. */
export function createTopicFeed(
  source: FeedSource,
  selection: Selection,
  start: FeedStart,
  right?: FeedRight,
): Feed {
  const { presented = start.promised } = start
  const { span } = selection
  let position = start.after
  /**
   * For each topic, the offset up to which the reader has heard of losses, or was never promised the events. Undefined when there is
   * no such offset after the position.
   */
  let reportedUpTo: number[] | undefined =
    presented === undefined || start.lost ? start.removed : undefined
  /** A loss to report with the first page, because only that page tells the oldest event that is kept. */
  let lostAtStart = lossOf(start)
  /** The tail in which the position is known to be valid. Undefined while only the log can check the position. */
  let currentTail = lostAtStart ? undefined : start.known?.tail
  /**
   * The offset of the tail's head when the position, read from the log, was beyond this head. Undefined when the position is in
   * the tail. The log may lose events before the tail reaches the position.
   */
  let tailHeadWhenAhead = headBelow(start.known?.head ?? 0)
  let next = start.firstFrame
  /** The reader must still be told that it has caught up. */
  let owesPlace = start.isInPast === true
  let joined = false
  /** The run that was asked for has ended, and everything of it was taken. */
  let isOver = false
  /** Joined, and the right was judged. */
  let canTake = false
  /** Set while the feed waits for the tail to grow. */
  let onWake: OnReady | undefined
  let reading: AbortController | undefined
  let leaving: LeaveReason | undefined
  let isClosed = false

  /** The loss after the position that the reader has not heard of yet. */
  function lossOf({ lost, removed }: Losses): Loss | undefined {
    if (lost) return { reason: lost satisfies LostReason, topics: [...selection.topics] }
    const topics = selection.topics.filter((_, index) => {
      const upTo = removed[index] ?? 0
      return upTo > position.offset && upTo > (reportedUpTo?.[index] ?? 0)
    })
    return topics.length > 0 ? { reason: 'trimmed', topics } : undefined
  }

  /**
   * A waiting feed was not woken by the last flush, so it has all events of its topics up to there. Moves the position
   * forward, although no frame was sent.
   */
  function currentPosition(): Cursor {
    if (
      onWake &&
      currentTail &&
      position.offset < currentTail.flushedTo.offset &&
      isInTail(currentTail)
    ) {
      position = currentTail.flushedTo
    }
    return position
  }

  const placed: PlacedFeed = {
    selection,
    right,
    offset: () => currentPosition().offset,
    wake() {
      if (!onWake) return
      currentPosition()
      const onReady = onWake
      onWake = undefined
      onReady()
    },
    leave(reason) {
      leaving ??= reason
      next = undefined
    },
  }

  function resync({ reason, topics }: Loss, from: string, first: Cursor | undefined): Buffer {
    metrics.resyncs.inc({ reason })
    const data = { reason, from, oldest: first ? formatCursor(first) : null, topics }
    return Buffer.from(encodeControl('resync', data, { id: formatCursor(position) }))
  }

  function isBehind(tail: Tail): boolean {
    if (position.offset < tail.from) return true
    // The tail has grown, but does not contain the position. Only the log knows whether the event was lost.
    if (tail === currentTail) return !isInTail(tail) && tail.head.offset !== tailHeadWhenAhead
    const { epoch, offset } = tail.start
    if (lostAtStart || position.epoch !== epoch || position.offset !== offset) return true
    currentTail = tail
    tailHeadWhenAhead = undefined
    return false
  }

  /** Whether the tail contains the event at the position, and not a different event with the same offset. */
  function isInTail(tail: Tail): boolean {
    if (tailHeadWhenAhead !== undefined && tail.includes(position)) tailHeadWhenAhead = undefined
    return tailHeadWhenAhead === undefined
  }

  function headBelow(head: number): number | undefined {
    return head < position.offset ? head : undefined
  }

  async function join(): Promise<void> {
    await source.join(placed)
    canTake = true
  }

  async function readBehind(): Promise<void> {
    // Taken before the read: a tail created during the read may start after a loss that the page does not show.
    const { tail } = source
    const from = lostAtStart ? (presented ?? '') : formatCursor(position)
    reading ??= new AbortController()
    const page = await source.readPage(selection, position, reading.signal)
    if (isClosed) return
    const [topic] = selection.topics
    if (span && span.last === undefined && topic !== undefined && (page.lost || lossOf(page))) {
      // Its end may be among what is missing.
      span.last = await source.findEnd(topic, span.run, reading.signal)
      if (span.last !== undefined) return
    }
    const isOfAllTopics = lostAtStart && lostAtStart.reason !== 'trimmed' && !page.lost
    const loss = isOfAllTopics ? lostAtStart : (lossOf(page) ?? lostAtStart)
    isOver = page.isEnd
    next = page.chunk
    if (loss) {
      position = page.first ? { ...page.first, offset: page.first.offset - 1 } : page.through
      next = resync(loss, from, page.first)
      if (page.chunk) next = Buffer.concat([next, page.chunk])
    }
    lostAtStart = undefined
    metrics.delivered.events += page.count
    // A cached page may have events that the log has removed since. Later losses of theirs must be reported, too.
    reportedUpTo = page.removed.some((upTo) => upTo > page.through.offset)
      ? page.removed
      : undefined
    position = page.through
    currentTail = tail
    tailHeadWhenAhead = headBelow(page.tailHead)
  }

  return {
    cursor: () => (lostAtStart ? presented : formatCursor(currentPosition())),
    resumed: start.presented !== undefined && !lostAtStart,
    take(maxBytes) {
      if (leaving) return { leave: leaving }
      if (right && !canTake) return undefined
      if (next) {
        const chunk = next
        next = undefined
        return chunk
      }
      if (isOver || (span?.last !== undefined && position.offset >= span.last)) return 'end'
      const { tail } = source
      if (!canTake || !tail || isBehind(tail)) return undefined
      const { chunk, count, through, isLast } = tail.take(selection, position.offset, maxBytes)
      isOver = isLast
      metrics.delivered.events += count
      // The tail may have events that the log has removed. A reader that gets some of them must hear when the others are gone.
      reportedUpTo = undefined
      if (position.offset < through.offset) position = through
      return chunk
    },
    whenReady(onReady) {
      if (isClosed) return
      if (!joined) {
        joined = true
        readyAfter(join(), onReady)
      } else if (!source.tail || isBehind(source.tail)) {
        readyAfter(readBehind(), onReady)
      } else if (owesPlace) {
        owesPlace = false
        next = pingFrame(formatCursor(currentPosition()))
        readyAfter(Promise.resolve(), () => isClosed || onReady())
      } else {
        onWake = onReady
      }
    },
    close() {
      if (isClosed) return Promise.resolve()
      isClosed = true
      reading?.abort(closed)
      if (joined) source.leave(placed)
      return Promise.resolve()
    },
  }
}
