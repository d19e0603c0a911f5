/**
 * The log contract: append once, read from any cursor, know what was lost.
 *
 * An event's offset counts the events of the log. After a power cut or in a restored copy, offsets are given a second time, so a log
 * has *terms*: each begins with the first append of a process, and gives the epoch that is the other half of an id. An event keeps
 * the epoch of its term. A cursor holds up to where its term ended, and beyond that it is of the future.
 *
 * Engines differ in where events live; every one passes event-log.contract.ts. Knows nothing of HTTP or of streams.
 */
import type { Cursor } from '@/protocol/cursor'
import type { NewEvent, StoredEvent } from '@/protocol/event'

export interface EventLog {
  /**
   * Resolves once the events survive this process, all of them or none. Their offsets follow one another; their time never
   * decreases with the offset.
   * @throws {LogError} `idempotency-conflict`, `busy`, `unavailable` or `closed`
   */
  append(
    topic: string,
    events: readonly NewEvent[],
    options?: { idempotency?: Idempotency | undefined },
  ): Promise<Appended>

  /**
   * Events after the cursor, oldest first: at most `limit`, and at most `maxBytes` of data but at least one. Of the topics named, each
   * once, or of all when `topics` is left out. The answer is complete up to `through`: go on from there, not from the last event.
   * When the cursor can't be honoured, `lost` says why and the page begins with the oldest event kept.
   * @throws {LogError} `unavailable` or `closed`
   */
  read(request: {
    topics?: readonly string[] | undefined
    after: Cursor
    limit: number
    maxBytes: number
  }): Promise<{ events: StoredEvent[]; through: Cursor } & Losses>

  /**
   * The cursor from which a reader of `topics` starts: the one presented or, if it can't be honoured, the one before the oldest
   * event kept of those topics; the one before the newest `last` events; the one before the first event of `since`
   * (milliseconds since the Unix epoch) or later.
   * @throws {LogError} `unavailable` or `closed`
   */
  locate(topics: readonly string[], start: Start): Promise<{ after: Cursor } & Losses>

  /** The cursor after the newest event, read afresh: another process may have appended it. */
  head(): Promise<Cursor>

  /**
   * Calls `onChange` soon after events were appended, by this process or another, until the signal aborts.
   * @throws {LogError} `closed`
   */
  watch(onChange: () => void, options: { signal: AbortSignal }): void

  /** Ends every watch; what is appending is finished first. Closing twice is harmless. */
  close(): Promise<void>
}

/** Where a reader starts: after a cursor, with the newest `last` events, or with those of `since` (milliseconds since the Unix epoch) and later. */
export type Start<C extends Cursor = Cursor> = { cursor: C } | { last: number } | { since: number }

export interface Appended {
  /** One for each event, in order. */
  ids: string[]
  /** True when the key was seen before, and nothing was appended. */
  replayed: boolean
}

/** Makes an append repeatable: the same key and fingerprint once more appends nothing and answers the same ids. */
export interface Idempotency {
  /** Per topic; kept as long as the events of its append. */
  key: string
  /** What tells one body from another. The same key with another fingerprint is a conflict. */
  fingerprint: string
}

/** What a log says of a reader's past. */
export interface Losses {
  /** Why the cursor can't be honoured: see `LostReason`. Undefined when it can. */
  lost?: LostReason | undefined
  /**
   * For each topic asked, in their order, the highest offset that the log no longer keeps, 0 when it keeps everything; one number for
   * all topics when none was named. A reader whose place is lower has lost events of that topic.
   */
  removed: number[]
}

/**
 * `epoch`: the cursor is of no term that this log knows. `future`: its term ended before that offset, so the events up to there
 * were lost, and other events may have their offsets now.
 */
export type LostReason = 'epoch' | 'future'

/** How much of each topic a log keeps. */
export interface Retention {
  /** Events of one topic; up to 500 more may linger. */
  maxCount: number
  /** Milliseconds. Older events are never read, and removed as appends come. */
  maxAgeMs: number
}

export class LogError extends Error {
  override name = 'LogError'
  readonly code: 'idempotency-conflict' | 'busy' | 'unavailable' | 'closed'

  /** By name: Next bundles routes, pages and instrumentation apart, and an error crosses from one bundle's class to another's. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'LogError'
  }

  constructor(code: LogError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
