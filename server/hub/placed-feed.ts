/** A feed and the hub as they see each other. */
import type { Cursor } from '@/protocol/cursor'
import type { Losses } from '@/server/log/event-log'
import type { LeaveReason } from '@/server/stream/feed'
import type { LogPage } from './page-reader'
import type { Selection } from './selection'
import type { Tail } from './tail'

/** Where a stream starts, and which events the log has lost after that place. */
export interface FeedStart extends Losses {
  after: Cursor
  /** The cursor text that the reader presented, if any. The reader must hear of every loss after this cursor. */
  presented?: string | undefined
  /** The text of the cursor where the stream of a run begins, for a reader that presented none. It is promised all events after it. */
  promised?: string | undefined
  /** True when there may be something to catch up on: the reader is told when it has all that is published so far. */
  isInPast?: boolean
  /** A frame that comes before all others. */
  firstFrame?: Uint8Array | undefined
  /** The tail that existed before the log was asked for the start, and its head at that time. Up to this head, tail and log agree. */
  known: KnownTail | undefined
}

export interface KnownTail {
  tail: Tail
  head: number
}

/** The parts of the hub that a feed uses. */
export interface FeedSource {
  /** Undefined before the first stream began. Replaced by another tail when the log has lost events. */
  readonly tail: Tail | undefined
  /**
   * Creates the tail if there is none, and judges the feed's right. From now until `leave`, every flush with events of the feed's
   * topics wakes `feed`.
   */
  join(feed: PlacedFeed): Promise<void>
  leave(feed: PlacedFeed): void
  /** Reads the log, for feeds that are behind the tail. Waits while the log is unavailable. */
  readPage(selection: Selection, after: Cursor, signal: AbortSignal): Promise<LogPage>
  /** The offset at which a run ended: undefined while it lives, 0 when nothing is known of it any more. */
  findEnd(topic: string, run: string, signal: AbortSignal): Promise<number | undefined>
}

/** The right of a feed's reader, as far as a disconnect can end it. */
export interface FeedRight {
  /** The names by which a disconnect means the reader: see `namesOf`. */
  names: readonly string[]
  /** Disconnects after this place end the right. */
  since: Mark
}

/** A place in the log, from before anyone was asked for a right. */
export interface Mark {
  cursor: Cursor
  /** Where the tail of that time began. Undefined when there was none. */
  tailStart: Cursor | undefined
}

/** A feed as the hub sees it: with topics, a position, and a way to wake it. */
export interface PlacedFeed {
  readonly selection: Selection
  /** Undefined when nothing ends the right: anyone may read the topics. */
  readonly right: FeedRight | undefined
  /** The feed has delivered all events of its topics up to this offset. */
  offset(): number
  /** Does nothing when the feed is not waiting. */
  wake(): void
  /** From now on, the feed delivers nothing but this reason. `wake` it afterwards. */
  leave(reason: LeaveReason): void
}
