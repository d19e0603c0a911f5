/** What a page knows of a stream: where it stands, and what came. */
import type { MessagesOnly, Parsed, Parsers } from './event-parser'
import type { Gap } from './gap'
import type { StreamError } from './stream-error'
import type { Status } from './transitions'

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

/** An event as `P` parses it. */
export type ReceivedEvent<P extends Parsers = MessagesOnly> =
  | { [Type in keyof P & string]: StreamEvent<Type, Parsed<P[Type]>> }[keyof P & string]
  | ('message' extends keyof P ? never : StreamEvent<'message', string>)

/** A gap, and before which event it lies. */
export interface GapMark extends Gap {
  beforeSeq: number
}

export interface StreamState<P extends Parsers = MessagesOnly> {
  status: Status
  /** EventSource's number for `status`: 0 connecting, reconnecting or paused, 1 open, 2 otherwise. */
  readyState: 0 | 1 | 2
  /** Who ended a `closed` stream: `close()` here, or the server, by `end` or 204. */
  closedBy: 'user' | 'server' | undefined
  /** The newest events since the last `clear()`, oldest first; renewed at most some thirty times a second, and not while the page is hidden. */
  events: readonly ReceivedEvent<P>[]
  /** How many older ones gave way to them. */
  dropped: number
  /** Where events may be missing, oldest first. */
  gaps: readonly GapMark[]
  /** Where the stream goes on; empty when it starts anew. */
  lastEventId: string
  /** Why the stream is reconnecting, paused or failed. */
  error: StreamError | undefined
  /** How often the server was asked in vain since the stream was last well: 0 when it is. */
  attempt: number
  /** When it is asked again: milliseconds since the Unix epoch. */
  retryAt: number | undefined
  /** When the present stream, or the last one, first opened and ended: milliseconds since the Unix epoch. */
  openedAt: number | undefined
  closedAt: number | undefined
  /** When anything last came, pings included: milliseconds since the Unix epoch. */
  lastSeenAt: number | undefined
  /** Events received since `open()`; `clear()` leaves it alone. */
  received: number
  /** How far this computer's clock is ahead of the server's, in milliseconds; undefined when the server tells no times. */
  clockOffsetMs: number | undefined
  /** The key of who reads, as the server says; undefined while it has not, and where it tells no readers apart. */
  reader: string | undefined
  /** How many readers share the connection, in this tab and others; undefined when it is this one's own. */
  tabs: number | undefined
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
