/**
 * The log contract: append once, read from any cursor, know what was lost.
 * Engines differ in where events live; every one passes event-log.contract.ts. Knows nothing of HTTP or of streams.
 */
import type { Cursor } from '@/events/cursor'
import type { NewEvent, StoredEvent } from '@/events/event'

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
   * Events after the cursor, oldest first: at most `limit`, and at most `maxBytes` of data but at least one. Of all topics when
   * `topics` is left out. The answer is complete up to `through`: go on from there, not from the last event.
   * A cursor that can't be honoured is answered with `lost`, and with what is kept.
   * @throws {LogError} `unavailable` or `closed`
   */
  read(request: {
    topics?: readonly string[] | undefined
    after: Cursor
    limit: number
    maxBytes: number
  }): Promise<{ events: StoredEvent[]; through: Cursor; lost?: Lost | undefined }>

  /**
   * The cursor from which a reader of `topics` starts: the one presented if it can be honoured, else the one before the first
   * event kept of those topics; the one before the newest `last` events; the one before the first event of `since`
   * (milliseconds since the Unix epoch) or later. What was no longer kept by then lies at or before `removedUpTo`: nobody promised it
   * to a reader who starts now.
   * @throws {LogError} `unavailable` or `closed`
   */
  locate(
    topics: readonly string[],
    start: { cursor: Cursor } | { last: number } | { since: number },
  ): Promise<{ after: Cursor; lost?: Lost | undefined; removedUpTo: number }>

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

export interface Appended {
  /** One for each event, in order. */
  ids: string[]
  /** True when the key was seen before, and nothing was appended. */
  replayed: boolean
}

/** Makes an append repeatable: the same key and fingerprint once more appends nothing and answers the same ids. */
export interface Idempotency {
  /** Per topic; kept as long as events may be. */
  key: string
  /** What tells one body from another. The same key with another fingerprint is a conflict. */
  fingerprint: string
}

/** Why and how much of a reader's past is missing. */
export interface Lost {
  /** `trimmed`: events after the cursor are no longer kept. `epoch`: the cursor is of another log. `future`: of events this log never had. */
  reason: 'trimmed' | 'epoch' | 'future'
  /** The first event kept of those topics after the cursor; undefined when there is none. */
  oldest: Cursor | undefined
  /** What is missing lies at or before this offset: up to there, a reader told once need not be told again. */
  upTo: number
}

/** How much of each topic a log keeps. */
export interface Retention {
  /** Events of one topic; up to 500 more may linger. */
  maxCount: number
  /** Milliseconds. Older events are never read, and removed as appends come. */
  maxAgeMs: number
}

/** Why `cursor` can't be honoured; undefined when it can. `removedUpTo` is the highest offset of the topics asked that is no longer kept. */
export function lostReason(
  cursor: Cursor,
  head: Cursor,
  removedUpTo: number,
): Lost['reason'] | undefined {
  if (cursor.epoch !== head.epoch) return 'epoch'
  if (cursor.offset > head.offset) return 'future'
  return cursor.offset < removedUpTo ? 'trimmed' : undefined
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
