/**
 * How a stream goes from state to state, as a table: the same for a tab and for the worker that reads for all tabs. docs/client.md
 * draws it, and a test compares the two. The controller carries it out.
 */
import type { LiveStatus, Status } from './stream-state'

/** What can happen to a stream. */
export type Signal =
  /** The page calls `open()`, `close()` or `disable()`. */
  | 'open'
  | 'close'
  | 'disable'
  /** The connection tells these: see ConnectionEvent. */
  | 'opened'
  | 'probing'
  | 'lost'
  | 'moved'
  | 'refused'
  | 'ended'
  /** The server takes the page for another reader's. Before, it was anonymous (`new reader`), or a user's (`other reader`). */
  | 'new reader'
  | 'other reader'
  /** It is time to ask again: the wait is over, network or page are back, or the page calls `reconnect()`. */
  | 'retry'
  /** The network goes away. */
  | 'offline'
  /** The reader leaves the page, which the browser may keep. */
  | 'away'
  /** The worker that keeps a shared stream going has brought it to this state. */
  | `follow ${LiveStatus}`

/** What is done before the page hears of the new state. */
export type Preparation =
  /** Closes the connection, if there is one. */
  | 'leave'
  /** Drops the cursor: the next connection starts from the beginning. */
  | 'forget'
  /** Counts a failed attempt. */
  | 'count'

/** What is done after it has, unless its listeners led the stream elsewhere. */
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
  // An open stream stays open when the network goes: it may be back before the connection notices, and localhost needs none.
  open: { ...live, moved: ['reconnecting', 'leave', 'report', 'spread'] },
  reconnecting: { ...live, retry: connect, offline },
  paused: { ...live, retry: connect },
  closed: { open: connect, disable },
  failed: { open: connect, disable },
}

/** EventSource's number for a status: 0 connecting, 1 open, 2 closed. */
export function readyStateOf(status: Status): 0 | 1 | 2 {
  if (status === 'open') return 1
  // What is live can be closed.
  return transitions[status].close ? 0 : 2
}
