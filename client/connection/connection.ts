/** One attempt to read a stream, whatever it goes by: an EventSource of this page, or the worker that reads for all tabs. */
import type { Gap } from '@/client/gap'
import type { StreamError } from '@/client/stream-error'
import type { LiveStatus, RawEvent, StreamProgress } from '@/client/stream-state'

/** Where a reader goes on in a stream. */
export interface Position {
  /** The id of the last event that it has; empty to start from the beginning. */
  cursor: string
  /** As whom it has read so far, if it knows. */
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
  /** Aborts when the controller leaves the connection, which must then close whatever it holds. What it tells later is not heard. */
  signal: AbortSignal
}

export interface Connection {
  /** Makes sure now that the connection is alive; one that waits to be opened again is opened now. */
  check: () => void
}

/** Begins an attempt. Never rejects: what goes wrong is told. */
export type Connect = (attempt: Attempt) => Promise<Connection> | Connection

/** What a connection knows of the stream, apart from events. */
export type Facts = Partial<
  Pick<StreamProgress, 'lastEventId' | 'reader' | 'lastSeenAt' | 'clockOffsetMs'>
>

/** What a connection tells, each with what it says. */
export interface ConnectionEvents {
  /** The answer is an event stream. */
  opened: []
  event: [event: RawEvent, place?: Place]
  /** Events may be missing before the next one. */
  gap: [gap: Gap, place?: Place]
  /** Something came that is no event. An urgent one is shown at once. */
  facts: [facts: Facts, isUrgent?: boolean, place?: Place]
  /** The server refused, and the connection asks it why: `lost`, `refused` or `ended` follows. */
  probing: [error: StreamError]
  /** The connection is over. Another may do better, after `askedMs` at the earliest. */
  lost: [error: StreamError, askedMs?: number]
  /** The server works, and sends its readers elsewhere: another connection will do, within `askedMs`. */
  moved: [error: StreamError, askedMs: number]
  /** Another connection would not do better. */
  refused: [error: StreamError]
  /** There is nothing more to read. */
  ended: []
  /** Where a shared stream stands, which the worker keeps going. */
  followed: [status: LiveStatus, progress: FollowedProgress]
  /** Something went wrong with a shared stream; the worker sees to it. */
  trouble: [error: StreamError]
}

export type ConnectionEvent = {
  [E in keyof ConnectionEvents]: [event: E, ...what: ConnectionEvents[E]]
}[keyof ConnectionEvents]

export type Tell = (...event: ConnectionEvent) => void

export type FollowedProgress = Pick<StreamProgress, 'error' | 'attempt' | 'retryAt' | 'tabs'>
