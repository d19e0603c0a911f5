/** The interface of a connection: one attempt to read a stream, with an EventSource of this page or through the shared worker. */
import type { Gap } from '@/protocol/gap'
import type { StreamError } from '@/client/stream-error'
import type { LiveStatus, RawEvent, StreamProgress } from '@/client/stream-state'

/** Where a reader resumes in a stream. */
export interface Position {
  /** The id of the last event that the reader has; empty to start from the beginning. */
  cursor: string
  /** The reader's key, if it is known from an earlier connection. */
  reader: string | undefined
  /** The same place in a shared stream, whose events may have no ids. */
  place: Place | undefined
}

/** How many items of a shared stream a reader has, counted from the stream's first. */
export interface Place {
  stream: string
  seq: number
}

export interface Attempt extends Position {
  tell: Tell
  /** Aborts when the controller leaves the connection. The connection must then close everything. Later calls of `tell` are ignored. */
  signal: AbortSignal
}

export interface Connection {
  /** Checks now that the connection is alive. If it waits to reconnect, it reconnects now. */
  check: () => void
}

/** Starts an attempt. Never rejects: errors are reported with `tell`. */
export type Connect = (attempt: Attempt) => Promise<Connection> | Connection

/** The facts that a connection learns about the stream, apart from events. */
export type Facts = Partial<
  Pick<StreamProgress, 'lastEventId' | 'reader' | 'lastSeenAt' | 'clockOffsetMs'>
>

/** The events that a connection reports, with their arguments. */
export interface ConnectionEvents {
  /** The answer is an event stream. */
  opened: []
  event: [event: RawEvent, place?: Place]
  /** Events may be missing before the next one. */
  gap: [gap: Gap, place?: Place]
  /** All that was published so far has come. Only servers of ours say so. */
  current: []
  /** Facts arrived. Urgent ones are shown at once. */
  facts: [facts: Facts, isUrgent?: boolean, place?: Place]
  /** The server refused, and the connection asks it why: `lost`, `refused` or `ended` follows. */
  probing: [error: StreamError]
  /** The connection is over. Another attempt may succeed, after `askedMs` at the earliest. */
  lost: [error: StreamError, askedMs?: number]
  /** The server works, and asks its readers to reconnect within `askedMs`. */
  moved: [error: StreamError, askedMs: number]
  /** Another attempt would fail too. */
  refused: [error: StreamError]
  /** There is nothing more to read. */
  ended: []
  /** The state of a shared stream, which the worker keeps running. */
  followed: [status: LiveStatus, progress: FollowedProgress]
  /** A shared stream had an error. The worker handles it. */
  trouble: [error: StreamError]
}

export type ConnectionEvent = {
  [E in keyof ConnectionEvents]: [event: E, ...what: ConnectionEvents[E]]
}[keyof ConnectionEvents]

export type Tell = (...event: ConnectionEvent) => void

export type FollowedProgress = Pick<StreamProgress, 'error' | 'attempt' | 'retryAt' | 'tabs'>
