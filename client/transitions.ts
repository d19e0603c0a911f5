/** The states of a stream and the ways between them, as a table. What each state does is the client's: event-source-client.ts. */

/**
 * `idle`: not wanted. `connecting`: asked, not answered. `open`: events may come. `reconnecting`: waits to ask again. `paused`: waits for
 * the network or the page to be back. `closed`, `failed`: ended, and left only by `open()`.
 */
export type Status =
  | 'idle'
  | 'connecting'
  | 'open'
  | 'reconnecting'
  | 'paused'
  | 'closed'
  | 'failed'

/** What can happen to a stream. */
export type Signal =
  | 'open' // somebody calls open()
  | 'close' // somebody calls close(), or the stream is complete
  | 'disable' // there is no stream to open any more
  | 'opened' // the answer is an event stream
  | 'lost' // the connection broke, fell silent, or never came about
  | 'refuse' // asking again would be of no use
  | 'retry' // it is time to ask again, or network and page are there
  | 'pause' // the page goes away
  | 'offline' // the network goes away

const transitions: Record<Status, Partial<Record<Signal, Status>>> = {
  idle: { open: 'connecting' },
  connecting: {
    opened: 'open',
    lost: 'reconnecting',
    refuse: 'failed',
    pause: 'paused',
    offline: 'paused',
    close: 'closed',
    disable: 'idle',
  },
  // Stays open when offline: the network may be back before the connection notices, and localhost needs none.
  open: {
    lost: 'reconnecting',
    refuse: 'failed',
    pause: 'paused',
    close: 'closed',
    disable: 'idle',
  },
  reconnecting: {
    retry: 'connecting',
    refuse: 'failed',
    pause: 'paused',
    offline: 'paused',
    close: 'closed',
    disable: 'idle',
  },
  paused: {
    retry: 'connecting',
    // A stream that is shared may have been asked again without this reader's having heard of it.
    refuse: 'failed',
    // The page may go away while the network is.
    pause: 'paused',
    close: 'closed',
    disable: 'idle',
  },
  closed: { open: 'connecting', disable: 'idle' },
  failed: { open: 'connecting', disable: 'idle' },
}

/** Where `signal` leads; undefined when it means nothing in this state. */
export function nextStatus(status: Status, signal: Signal): Status | undefined {
  return transitions[status][signal]
}

/** EventSource's number for a status: 0 connecting, 1 open, 2 closed. */
export function readyStateOf(status: Status): 0 | 1 | 2 {
  if (status === 'open') return 1
  return status === 'connecting' || status === 'reconnecting' || status === 'paused' ? 0 : 2
}
