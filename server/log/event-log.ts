/**
 * The log contract: append once, read from any cursor, know what was lost.
 *
 * An event's offset counts the events of the log. After a power cut, or when a copy is restored, the log assigns some offsets again.
 * So a log has *terms*: a process begins one with its first append. Each term has an epoch, which is the other half of an id. An
 * event keeps the epoch of its term. A cursor is valid up to the end of its term; beyond that it is in the future.
 *
 * Engines differ in where events live; every one passes event-log.contract.ts. Knows nothing of HTTP or of streams.
 */
import type { Cursor } from '@/protocol/cursor'
import type { NewEvent, StoredEvent } from '@/protocol/event'
import type { RunChange, RunOutcome, StoredRun } from './run-change'

export interface EventLog {
  /**
   * Appends all of the events or none, and resolves once they would survive the end of this process. Their offsets are consecutive.
   * Their time never decreases with the offset. With `run`, the log decides in the same step whether the run may change, and appends
   * the events only if it does: see `RunChange`.
   * @throws {LogError} `idempotency-conflict`, `run-ended`, `busy`, `unavailable` or `closed`
   */
  append(topic: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>

  /**
   * Reads events after the cursor, oldest first: at most `limit` events, and at most `maxBytes` of data but at least one event.
   * `topics` must not repeat a topic; leave it out to read all topics. The answer is complete up to `through`: continue from there,
   * not from the last event. When the cursor can't be honoured, `lost` says why and the page begins with the oldest event kept.
   * @throws {LogError} `unavailable` or `closed`
   */
  read(request: {
    topics?: readonly string[] | undefined
    after: Cursor
    limit: number
    maxBytes: number
  }): Promise<{ events: StoredEvent[]; through: Cursor } & Losses>

  /**
   * Finds the cursor from which a reader of `topics` starts. For a `cursor`: that cursor or, if it can't be honoured, the cursor
   * before the oldest event kept of those topics. For `last`: the cursor before the newest `last` events. For `since`
   * (milliseconds since the Unix epoch): the cursor before the first event of that time or later.
   * @throws {LogError} `unavailable` or `closed`
   */
  locate(topics: readonly string[], start: Start): Promise<{ after: Cursor } & Losses>

  /**
   * The run of the topic with this id or, without an id, the one that began last. Undefined when there is none, or its state has
   * expired: it outlives the age limit of events by seven days.
   * @throws {LogError} `unavailable` or `closed`
   */
  findRun(topic: string, id?: string): Promise<StoredRun | undefined>

  /**
   * The living runs of all topics.
   * @throws {LogError} `unavailable` or `closed`
   */
  livingRuns(): Promise<StoredRun[]>

  /** The cursor after the newest event. Reads the log every time, because another process may have appended. */
  head(): Promise<Cursor>

  /**
   * Calls `onChange` soon after events were appended, by this process or another, until the signal aborts.
   * @throws {LogError} `closed`
   */
  watch(onChange: () => void, options: { signal: AbortSignal }): void

  /** Ends every watch, and waits for appends in progress. Closing twice is harmless. */
  close(): Promise<void>
}

/** Where a reader starts: after a cursor, with the newest `last` events, or with the events of `since` (milliseconds since the Unix epoch) and later. */
export type Start<C extends Cursor = Cursor> = { cursor: C } | { last: number } | { since: number }

export interface AppendOptions {
  idempotency?: Idempotency | undefined
  /** Makes the events part of a run. */
  run?: RunChange | undefined
}

export interface AppendResult extends Appended {
  /** What became of the run. Undefined for an append without one, or one that was repeated. */
  run?: RunOutcome | undefined
}

export interface Appended {
  /** The id of each event, in order. */
  ids: string[]
  /** True when the key was seen before, and nothing was appended. */
  replayed: boolean
}

/** Makes an append safe to repeat: a second append with the same key and fingerprint adds nothing and returns the same ids. */
export interface Idempotency {
  /** Belongs to one topic, and is kept as long as the events of its append. */
  key: string
  /** Identifies the body, for example a hash. The same key with another fingerprint is a conflict. */
  fingerprint: string
}

/** Which events a reader at a cursor has lost. */
export interface Losses {
  /** Why the cursor can't be honoured: see `LostReason`. Undefined when it can. */
  lost?: LostReason | undefined
  /**
   * For each requested topic, in the order requested: the highest offset that the log no longer keeps, or 0 when it keeps everything.
   * A single number for all topics when none was named. A reader whose cursor is lower has lost events of that topic.
   */
  removed: number[]
}

/**
 * `epoch`: this log knows no term with the cursor's epoch. `future`: the cursor's term ended before its offset, so the events in
 * between were lost, and other events may have their offsets now.
 */
export type LostReason = 'epoch' | 'future'

/** How much of a topic is kept. */
export interface TopicLimits {
  /** How many events. Up to 500 more may stay until they are trimmed. */
  maxCount: number
  /** Milliseconds. Older events are never read. Appends remove them. */
  maxAgeMs: number
  /**
   * True: only the newest event is kept. An event that a newer one has replaced counts as neither removed nor lost, and idempotency
   * keys are kept for `maxAgeMs`. `maxCount` has no meaning then. Default false.
   */
  latest?: boolean | undefined
}

/** How much of each topic a log keeps: the limits of all topics that have none of their own. */
export interface Retention extends TopicLimits {
  /**
   * The limits of a topic that has its own, else undefined. An append stores the age limit in the log. So the limits of the process
   * that appends count for every reader, and a change takes effect with the topic's next append.
   */
  ownLimits?: ((topic: string) => TopicLimits | undefined) | undefined
}

export class LogError extends Error {
  override name = 'LogError'
  readonly code: 'idempotency-conflict' | 'run-ended' | 'busy' | 'unavailable' | 'closed'

  /** Compares by name: Next bundles routes, pages and instrumentation separately, so an error may be an instance of another bundle's class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'LogError'
  }

  constructor(code: LogError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
