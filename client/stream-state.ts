/** What a page knows of a stream: how it stands, and what came. */
import type { MessagesOnly, Parsed, Parsers } from './event-parser'
import type { Gap } from './gap'
import type { StreamError } from './stream-error'

/**
 * `idle`: the page does not want the stream. `connecting`: asked, not answered. `open`: events may come. `reconnecting`: waits to ask
 * again. `paused`: waits for the network or the page to be back. `closed`, `failed`: ended, and left only by `open()`.
 */
export type Status = LiveStatus | 'idle' | 'closed' | 'failed'

/** While the client keeps the stream going. */
export type LiveStatus = 'connecting' | 'open' | 'reconnecting' | 'paused'

export interface StreamEvent<Type = string, Data = unknown> {
  /** Counts the events of this client from 1: a stable key for a list. */
  seq: number
  type: Type
  /** What the type's parser made of it; the text where there is none. */
  data: Data
  /** The browser's `lastEventId`: this event's id, or the last one before it. */
  id: string
  /** Milliseconds since the Unix epoch, by this computer's clock. */
  receivedAt: number
}

/** An event as a connection brings it: not yet parsed or counted. */
export type RawEvent = Omit<StreamEvent<string, string>, 'seq'>

/** An event as `P` parses it. */
export type ReceivedEvent<P extends Parsers = MessagesOnly> =
  | { [Type in keyof P & string]: StreamEvent<Type, Parsed<P[Type]>> }[keyof P & string]
  | ('message' extends keyof P ? never : StreamEvent<'message', string>)

/** A gap, and before which event it lies. */
export interface GapMark extends Gap {
  beforeSeq: number
}

/** How a stream stands: everything but the events. */
export interface StreamProgress {
  status: Status
  /** EventSource's number for `status`: 0 connecting, reconnecting or paused, 1 open, 2 otherwise. */
  readyState: 0 | 1 | 2
  /** Who ended a `closed` stream: `close()` here, or the server, by `end` or 204. */
  closedBy: 'user' | 'server' | undefined
  /** Where the stream goes on; empty when it starts from the beginning. */
  lastEventId: string
  /** Why the stream is reconnecting, paused or failed. */
  error: StreamError | undefined
  /** How many attempts have failed since the stream last worked: 0 while it works. */
  attempt: number
  /** When the client asks again: milliseconds since the Unix epoch. */
  retryAt: number | undefined
  /** When the present stream, or the last one, first opened: milliseconds since the Unix epoch. */
  openedAt: number | undefined
  /** When it ended: milliseconds since the Unix epoch. */
  closedAt: number | undefined
  /** When anything last came, pings included: milliseconds since the Unix epoch. */
  lastSeenAt: number | undefined
  /** How far this computer's clock is ahead of the server's, in milliseconds; undefined when the server sends no times. */
  clockOffsetMs: number | undefined
  /** The key of the reader, as the server says; undefined before the server has said it, and where it does not tell readers apart. */
  reader: string | undefined
  /** How many readers share the connection, in this tab and others; undefined when it is this one's own. */
  tabs: number | undefined
}

export interface StreamState<P extends Parsers = MessagesOnly> extends StreamProgress {
  /** The newest events since the last `clear()`, oldest first; renewed at most some thirty times a second, and not while the page is hidden. */
  events: readonly ReceivedEvent<P>[]
  /** How many older events gave way to them. */
  dropped: number
  /** Where events may be missing, oldest first. */
  gaps: readonly GapMark[]
  /** Events received since `open()`; `clear()` leaves it alone. */
  received: number
}

const idleState: StreamState & { events: readonly never[] } = {
  status: 'idle',
  readyState: 2,
  closedBy: undefined,
  events: [],
  dropped: 0,
  gaps: [],
  lastEventId: '',
  error: undefined,
  attempt: 0,
  retryAt: undefined,
  openedAt: undefined,
  closedAt: undefined,
  lastSeenAt: undefined,
  received: 0,
  clockOffsetMs: undefined,
  reader: undefined,
  tabs: undefined,
}

/** The state before anything happened, which a server renders. */
export function initialStreamState<P extends Parsers>(): StreamState<P> {
  return idleState
}

/** How a stream stands that has not been opened, and will go on after `lastEventId`, as `reader`. */
export function initialStreamProgress(lastEventId = '', reader?: string): StreamProgress {
  return { ...idleState, lastEventId, reader }
}
