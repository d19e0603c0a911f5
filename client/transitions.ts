/**
 * The state machine of a stream, as a table: the same for a tab and for the worker that reads for all tabs. docs/client.md
 * has the same table, and a test compares the two. The controller executes it.
 */
import type { LiveStatus, Status } from './stream-state'

/** What can happen to a stream. */
export type Signal =
  /** The page calls `open()`, `close()` or `disable()`. */
  | 'open'
  | 'close'
  | 'disable'
  /** The connection reports these: see ConnectionEvent. */
  | 'opened'
  | 'probing'
  | 'lost'
  | 'moved'
  | 'refused'
  | 'ended'
  /** The server says that the page has another reader. Before, the reader was anonymous (`new reader`), or a user (`other reader`). */
  | 'new reader'
  | 'other reader'
  /** It is time to try again: the wait is over, the network or the page is back, or the page calls `reconnect()`. */
  | 'retry'
  /** The network goes away. */
  | 'offline'
  /** The user leaves the page, which the browser may keep in its cache. */
  | 'away'
  /** The worker has moved a shared stream to this state. */
  | `follow ${LiveStatus}`

/** Actions before the page is told of the new state. */
export type Preparation =
  /** Closes the connection, if there is one. */
  | 'leave'
  /** Drops the cursor: the next connection starts from the beginning. */
  | 'forget'
  /** Counts a failed attempt. */
  | 'count'

/** Actions after the page was told of the new state, unless its listeners have changed the state again. */
export type Consequence =
  /** Calls `onError`. */
  | 'report'
  /** Opens a connection. */
  | 'connect'
  /** Waits longer after each failed attempt, then `retry`. */
  | 'back off'
  /** Waits a random part of the time that the server named, then `retry`. */
  | 'spread'
  /** Waits 30 s, then `retry`. */
  | 'ask seldom'

export type Action = Preparation | Consequence

export type Transition = readonly [to: Status, ...actions: Action[]]

const offline: Transition = ['paused', 'leave', 'ask seldom']
const connect: Transition = ['connecting', 'leave', 'connect']
const disable: Transition = ['idle', 'leave']

const live: Partial<Record<Signal, Transition>> = {
  lost: ['reconnecting', 'leave', 'count', 'report', 'back off'],
  refused: ['failed', 'leave', 'report'],
  ended: ['closed', 'leave', 'forget'],
  'new reader': ['reconnecting', 'leave', 'forget', 'report'],
  'other reader': ['failed', 'leave', 'forget', 'report'],
  away: ['paused', 'leave'],
  close: ['closed', 'leave'],
  disable,
  'follow connecting': ['connecting'],
  'follow open': ['open'],
  'follow reconnecting': ['reconnecting'],
  'follow paused': ['paused'],
}

export const transitions: Readonly<Record<Status, Partial<Record<Signal, Transition>>>> = {
  idle: { open: connect },
  connecting: { ...live, opened: ['open'], probing: ['reconnecting', 'count'], offline },
  // An open stream stays open when the network goes: the network may return before the connection breaks, and localhost needs none.
  open: { ...live, moved: ['reconnecting', 'leave', 'report', 'spread'] },
  reconnecting: { ...live, retry: connect, offline },
  paused: { ...live, retry: connect },
  closed: { open: connect, disable },
  failed: { open: connect, disable },
}

/** EventSource's number for a status: 0 connecting, 1 open, 2 closed. */
export function readyStateOf(status: Status): 0 | 1 | 2 {
  if (status === 'open') return 1
  // Every live status has a transition for `close`.
  return transitions[status].close ? 0 : 2
}
