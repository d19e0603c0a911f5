/** The state of a stream: its progress and its events. */
import type { MessagesOnly, Parsed, Parsers } from '@/client/events/event-parser'
import type { Gap } from '@/protocol/gap'
import type { StreamError } from './stream-error'

/**
 * `idle`: the page does not need the stream. `connecting`: a request was sent, and there is no answer yet. `open`: events can arrive.
 * `reconnecting`: waits before the next attempt. `paused`: waits for the network or the page to return. `closed`, `failed`: ended; only
 * `open()` leaves these.
 */
export type Status = LiveStatus | 'idle' | 'closed' | 'failed'

/** The statuses in which the client keeps the stream running. */
export type LiveStatus = 'connecting' | 'open' | 'reconnecting' | 'paused'

export interface StreamEvent<Type = string, Data = unknown> {
  /** Counts the events of this client from 1: a stable key for a list. */
  seq: number
  type: Type
  /** The result of the type's parser, or the text when there is none. */
  data: Data
  /** The browser's `lastEventId`: this event's id, or the last one before it. */
  id: string
  /** Milliseconds since the Unix epoch, by this computer's clock. */
  receivedAt: number
}

/** An event as a connection brings it: not yet parsed or counted. */
export type RawEvent = Omit<StreamEvent<string, string>, 'seq'>

/** An event parsed by `P`. */
export type ReceivedEvent<P extends Parsers = MessagesOnly> =
  | { [Type in keyof P & string]: StreamEvent<Type, Parsed<P[Type]>> }[keyof P & string]
  | ('message' extends keyof P ? never : StreamEvent<'message', string>)

/** A gap, and the event that follows it. */
export interface GapMark extends Gap {
  beforeSeq: number
}

/** The state of a stream without its events. */
export interface StreamProgress {
  status: Status
  /** EventSource's number for `status`: 0 connecting, reconnecting or paused, 1 open, 2 otherwise. */
  readyState: 0 | 1 | 2
  /** What ended a `closed` stream: `close()` on this page, or the server, with `end` or 204. */
  closedBy: 'user' | 'server' | undefined
  /** The cursor from which the stream resumes; empty when it starts from the beginning. */
  lastEventId: string
  /** Why the stream is reconnecting, paused or failed. */
  error: StreamError | undefined
  /** How many attempts have failed since the stream last worked: 0 while it works. */
  attempt: number
  /** When the client tries again: milliseconds since the Unix epoch. */
  retryAt: number | undefined
  /** When the current stream, or the last one, first opened: milliseconds since the Unix epoch. */
  openedAt: number | undefined
  /** When it ended: milliseconds since the Unix epoch. */
  closedAt: number | undefined
  /** When the last frame arrived, including pings: milliseconds since the Unix epoch. */
  lastSeenAt: number | undefined
  /** How far this computer's clock is ahead of the server's, in milliseconds; undefined when the server sends no times. */
  clockOffsetMs: number | undefined
  /** The reader's key, as sent by the server; undefined before that, and when the server does not distinguish readers. */
  reader: string | undefined
  /** How many readers share the connection, in this tab and others; undefined when the connection is not shared. */
  tabs: number | undefined
}

export interface StreamState<
  P extends Parsers = MessagesOnly,
  Reduced = undefined,
> extends StreamProgress {
  /** The newest events since the last `clear()`, oldest first. Updated at most about thirty times a second, and not while the page is hidden. */
  events: readonly ReceivedEvent<P>[]
  /** How many older events were dropped. */
  dropped: number
  /** Where events may be missing, oldest first. */
  gaps: readonly GapMark[]
  /** Events received since `open()`. `clear()` does not reset this. */
  received: number
  /** Events since the last `clear()` that are not in `events`, because they could not be parsed: `onError` has heard of each. */
  unreadable: number
  /** What `reduce` has made of all events since the last `clear()`, including those that `events` no longer has. */
  reduced: Reduced
}

const idle: StreamProgress = {
  status: 'idle',
  readyState: 2,
  closedBy: undefined,
  lastEventId: '',
  error: undefined,
  attempt: 0,
  retryAt: undefined,
  openedAt: undefined,
  closedAt: undefined,
  lastSeenAt: undefined,
  clockOffsetMs: undefined,
  reader: undefined,
  tabs: undefined,
}

/** The progress of a stream that is not open yet. It will resume after `lastEventId`, as `reader`. With an `error` it has failed. */
export function initialStreamProgress(
  lastEventId = '',
  reader?: string,
  error?: StreamError,
): StreamProgress {
  return { ...idle, status: error ? 'failed' : 'idle', lastEventId, reader, error }
}
