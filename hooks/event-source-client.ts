/**
 * A client for one event stream over the browser's own EventSource, which it owns and replaces. Knows no React.
 * It makes exactly one request for every `open()`: a lost or refused connection ends in `failed`, and is never retried.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
 */
import type { ControlType } from '@/events/control-events'
import { parseGap, type Gap } from './gap'

/** `idle` before the first `open()`. `closed` and `failed` are left only by `open()`. */
export type Status = 'idle' | 'connecting' | 'open' | 'closed' | 'failed'

export interface ReceivedEvent {
  /** Counts the events of this client from 1: a stable key for a list. */
  seq: number
  type: string
  data: string
  /** The browser's `lastEventId`: this event's id, or the last one before it. */
  id: string
  /** Milliseconds since the Unix epoch, by this computer's clock. */
  receivedAt: number
}

export interface StreamError {
  /**
   * `refused`: the server answered with something other than an event stream.
   * `unreachable`: no answer came, or the URL is none. `lost`: the connection broke, or the server closed it without an `end`.
   */
  kind: 'refused' | 'unreachable' | 'lost'
  message: string
}

export interface StreamState {
  status: Status
  /** EventSource's number for `status`: 0 connecting, 1 open, 2 closed. */
  readyState: 0 | 1 | 2
  /** Who ended a `closed` stream: `close()` here, or the server's `end`. */
  closedBy: 'user' | 'server' | undefined
  /** The newest 1,000 events since the last `clear()`, oldest first. */
  events: readonly ReceivedEvent[]
  /** Where `open()` resumes; empty when it starts anew. */
  lastEventId: string
  /** Why the stream is `failed`. */
  error: StreamError | undefined
  /** When the present stream, or the last one, opened and ended: milliseconds since the Unix epoch. */
  openedAt: number | undefined
  closedAt: number | undefined
  /** Events received since `openedAt`; `clear()` leaves it alone. */
  received: number
}

export interface EventSourceClientOptions {
  url: string
  /** Sends cookies to another origin. Default false. */
  withCredentials?: boolean | undefined
  /** Named event types to listen to besides `message`: a browser delivers no others. */
  types?: readonly string[] | undefined
  /** The cursor that the first `open()` resumes from. */
  initialLastEventId?: string | undefined
}

export interface EventSourceClient {
  getState: () => StreamState
  /** Calls `listener` after every change of state; returns the undo. */
  subscribe: (listener: () => void) => () => void
  /** Calls `listener` with every event as it arrives; returns the undo. */
  onEvent: (listener: (event: ReceivedEvent) => void) => () => void
  /** Calls `listener` when the server could not go on where it was asked to; returns the undo. */
  onGap: (listener: (gap: Gap) => void) => () => void
  /**
   * Opens the stream, after the last event received or, `from: 'start'`, without a cursor. Does nothing while it is open.
   * Asks the network one microtask later, so that a `close()` in the same turn makes no request.
   */
  open: (options?: { from?: 'start' }) => void
  /** Closes the stream at once. No callback follows. */
  close: () => void
  /** Empties `events`; the connection stays as it is. */
  clear: () => void
}

const maxEvents = 1000

const idleState: StreamState = {
  status: 'idle',
  readyState: 2,
  closedBy: undefined,
  events: [],
  lastEventId: '',
  error: undefined,
  openedAt: undefined,
  closedAt: undefined,
  received: 0,
}

/** The state before anything happened, which a server renders. */
export function initialStreamState(): StreamState {
  return idleState
}

/** Makes the client; nothing is asked of the network before `open()`. */
export function createEventSourceClient(options: EventSourceClientOptions): EventSourceClient {
  let state: StreamState = { ...idleState, lastEventId: options.initialLastEventId ?? '' }
  let seq = 0
  // What the present `open()` stands for. Callbacks of any earlier one find themselves stale by comparing with it.
  let attempt: { source?: EventSource } | undefined
  const stateListeners = new Set<() => void>()
  const eventListeners = new Set<(event: ReceivedEvent) => void>()
  const gapListeners = new Set<(gap: Gap) => void>()

  function update(change: Partial<StreamState>): void {
    state = { ...state, ...change }
    for (const listener of stateListeners) listener()
  }

  function finish(change: Partial<StreamState>): void {
    attempt?.source?.close()
    attempt = undefined
    update({ readyState: 2, closedAt: Date.now(), ...change })
  }

  function connect(own: { source?: EventSource }): void {
    let source: EventSource
    try {
      source = new EventSource(urlWithCursor(options.url, state.lastEventId), {
        withCredentials: options.withCredentials ?? false,
      })
    } catch {
      const message = `${options.url} is not a URL.`
      return finish({ status: 'failed', error: { kind: 'unreachable', message } })
    }
    own.source = source
    const listen = (type: string, react: (event: MessageEvent<string>) => void): void =>
      source.addEventListener(type, (event) => {
        if (attempt === own) react(event as MessageEvent<string>)
      })

    listen('open', () => update({ status: 'open', readyState: 1, openedAt: Date.now() }))
    listen('error', () => finish({ status: 'failed', error: errorOf(source, state.status) }))
    listen('connected' satisfies ControlType, (event) => update({ lastEventId: event.lastEventId }))
    listen('ping' satisfies ControlType, (event) => update({ lastEventId: event.lastEventId }))
    listen('resync' satisfies ControlType, resync)
    listen('end' satisfies ControlType, () =>
      finish({ status: 'closed', closedBy: 'server', lastEventId: '' }),
    )
    for (const type of new Set(['message', ...(options.types ?? [])])) listen(type, receive)
  }

  function receive({ type, data, lastEventId }: MessageEvent<string>): void {
    const event = { seq: ++seq, type, data, id: lastEventId, receivedAt: Date.now() }
    const events = [...state.events.slice(1 - maxEvents), event]
    update({ events, lastEventId, received: state.received + 1 })
    for (const listener of eventListeners) listener(event)
  }

  function resync({ data, lastEventId }: MessageEvent<string>): void {
    update({ lastEventId })
    const gap = parseGap(data)
    if (gap) for (const listener of gapListeners) listener(gap)
  }

  return {
    getState: () => state,
    subscribe: (listener) => subscribeTo(stateListeners, listener),
    onEvent: (listener) => subscribeTo(eventListeners, listener),
    onGap: (listener) => subscribeTo(gapListeners, listener),
    open({ from } = {}) {
      if (attempt) return
      const own = {}
      attempt = own
      update({
        status: 'connecting',
        readyState: 0,
        closedBy: undefined,
        error: undefined,
        openedAt: undefined,
        closedAt: undefined,
        received: 0,
        ...(from === 'start' && { lastEventId: '' }),
      })
      queueMicrotask(() => {
        if (attempt === own) connect(own)
      })
    },
    close() {
      if (attempt) finish({ status: 'closed', closedBy: 'user' })
    },
    clear() {
      if (state.events.length > 0) update({ events: [] })
    },
  }
}

/** An EventSource that gave up (CLOSED) had an answer it could not use; one that would try again (CONNECTING) lost its connection. */
function errorOf(source: EventSource, status: Status): StreamError {
  if (source.readyState === 2) {
    return { kind: 'refused', message: 'The server did not answer with an event stream.' }
  }
  if (status === 'connecting') return { kind: 'unreachable', message: 'The server did not answer.' }
  return { kind: 'lost', message: 'The connection to the server was lost.' }
}

/** Only the browser can set the `Last-Event-ID` header, so a new EventSource presents its cursor in the URL. */
function urlWithCursor(url: string, lastEventId: string): string {
  if (lastEventId === '') return url
  const absolute = new URL(url, document.baseURI)
  absolute.searchParams.set('lastEventId', lastEventId)
  return absolute.href
}

function subscribeTo<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
