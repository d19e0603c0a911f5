/**
 * A client for one event stream over the browser's own EventSource, which it owns and replaces. Knows no React. It asks again when a
 * connection is lost, goes on where it was, and says what it does. The states and the ways between them: transitions.ts.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
 */
import type { ControlType, ReconnectReason } from '@/protocol/control-events'
import { parseCursor } from '@/protocol/cursor'
import { parseJsonObject } from '@/protocol/json'
import { anonymousReader, isReaderKey } from '@/protocol/reader-key'
import { backoffMs } from './backoff'
import { parseWith, type MessagesOnly, type Parser, type Parsers } from './event-parser'
import { createEventRing } from './event-ring'
import { parseGap, type Gap } from './gap'
import { nextFrame } from './next-frame'
import { watchPage } from './page-watch'
import { probe } from '@/client/connection/probe'
import { createServerClock } from '@/client/connection/server-clock'
import type { JoinStream, Place, SharedNews } from '@/client/tabs/shared-stream'
import { createSilenceWatch } from '@/client/connection/silence-watch'
import { readerChanged, type StreamError } from './stream-error'
import {
  initialStreamState,
  type GapMark,
  type ReceivedEvent,
  type StreamState,
} from './stream-state'
import { nextStatus, readyStateOf, type Signal } from './transitions'

export interface EventSourceClientOptions<P extends Parsers = MessagesOnly> {
  /** A function is called at every attempt, for fresh credentials say. */
  url: string | (() => string | Promise<string>)
  /** Sends cookies to another origin. Default false. */
  withCredentials?: boolean | undefined
  /** The event types to listen to besides `message`, each with a parser of its data: a browser delivers no others. `String` takes the text. */
  types?: P | undefined
  /** The cursor that the first `open()` resumes from. */
  initialLastEventId?: string | undefined
  /** The reader that the first `open()` goes on as: a key that the server told. Default: the one that the server names. */
  initialReader?: string | undefined
  /** How many events `events` holds. Default 1,000. */
  maxEvents?: number | undefined
  /** Gives up after this many attempts in vain. Default: never. */
  maxAttempts?: number | undefined
  /** How long an answer may take, in milliseconds. Default 15,000. */
  connectTimeoutMs?: number | undefined
  /**
   * Reads through one connection of all tabs: joinSharedStream of join-shared-stream.ts. What can't be shared, a function as `url` say,
   * has a connection of its own, as is the default.
   */
  join?: JoinStream | undefined
}

export interface EventSourceClient<P extends Parsers = MessagesOnly> {
  getState: () => StreamState<P>
  /** Calls `listener` after every change of state; returns the undo, as do the three below. */
  subscribe: (listener: () => void) => () => void
  /** Calls `listener` with every event as it arrives. */
  onEvent: (listener: (event: ReceivedEvent<P>) => void) => () => void
  /** Calls `listener` when the server could not go on where it was asked to. */
  onGap: (listener: (gap: Gap) => void) => () => void
  /**
   * Calls `listener` when the server takes the page for another reader's, because somebody signed in, say. A stream that was nobody's
   * has started over by then, with an empty list; any other is `failed`, and what may be read now is read only after `open()`.
   */
  onReaderChange: (listener: () => void) => () => void
  /** Calls `listener` with whatever goes wrong, be it mended later. */
  onError: (listener: (error: StreamError) => void) => () => void
  /**
   * Opens the stream, after the last event received or, `from: 'start'`, without a cursor. Does nothing while it is live.
   * Asks the network one microtask later, so that a `close()` in the same turn makes no request.
   */
  open: (options?: { from?: 'start' }) => void
  /** Closes the stream at once, for good: nothing but `open()` revives it. */
  close: () => void
  /** As `close`, but for a stream that is not wanted any more: `idle`. */
  disable: () => void
  /** Asks again now, where the stream waits to. Where it is open, makes sure that it is not dead. */
  reconnect: () => void
  /** Empties `events`; the connection stays as it is. */
  clear: () => void
  /** Takes another URL for the next attempt, and other parsers, of types listened to already, for the next event. */
  use: (newer: Pick<EventSourceClientOptions<P>, 'url' | 'types'>) => void
}

/** What the present connection, or the way to it, stands for: callbacks of any earlier one find themselves stale. */
interface Attempt {
  source?: EventSource
  /** An event of it had an id. */
  hasIds?: boolean
  /** A server of ours has begun to send. */
  hasBegun?: boolean
  /** Where the connection is shared: has it look after itself now. */
  wake?: () => void
  abort: AbortController
}

/** A connection that held this long was a good one. */
const goodAfterMs = 5_000
const silentAfterHeartbeats = 2.5
/** Without a network the server may be on this machine: asking it costs little. */
const askOfflineMs = 30_000
/** Why a server sends readers elsewhere though nothing is wrong. */
const moving: readonly unknown[] = ['drain', 'max-age'] satisfies ReconnectReason[]
/** Nobody reads faster, and drawing takes the time in which events could be received. Two frames of most screens, some of which come early. */
const renewMs = 30

/** Makes the client; nothing is asked of the network before `open()`. */
export function createEventSourceClient<P extends Parsers = MessagesOnly>(
  options: EventSourceClientOptions<P>,
): EventSourceClient<P> {
  const { maxEvents = 1_000, maxAttempts = Infinity, connectTimeoutMs = 15_000 } = options
  const { join, withCredentials = false } = options
  const parsers = new Map<string, Parser>([
    ['message', String],
    ...Object.entries<Parser>(options.types ?? {}),
  ])
  const ring = createEventRing<ReceivedEvent<P>>(maxEvents)
  const stateListeners = new Set<() => void>()
  const eventListeners = new Set<(event: ReceivedEvent<P>) => void>()
  const gapListeners = new Set<(gap: Gap) => void>()
  const readerListeners = new Set<() => void>()
  const errorListeners = new Set<(error: StreamError) => void>()

  let { url: address } = options
  let state: StreamState<P> = {
    ...initialStreamState<P>(),
    lastEventId: options.initialLastEventId ?? '',
    reader: options.initialReader,
  }
  let cursor = state.lastEventId
  let { reader } = state
  /** What is in the list was another reader's. */
  let isLeftOver = false
  /** Forgiven not when the stream opens, but when one ends that was open for a while. */
  let failures = 0
  let seq = 0
  let received = 0
  let gaps: readonly GapMark[] = []
  let attempt: Attempt | undefined
  /** One at a time: every state waits for one thing at most. */
  let timer: ReturnType<typeof setTimeout> | undefined
  let cancelFrame: (() => void) | undefined
  let renewedAt = -Infinity
  let stopWatching: (() => void) | undefined
  let connectedAt = 0
  /** Known once a server of ours told it: others need not send anything for hours. */
  let heartbeatMs: number | undefined
  /**
   * The offset up to which a server of ours has sent on this connection, since it last said where it goes on: before that, offsets
   * may have been given to other events. Others' ids need not be in any order.
   */
  let delivered: number | undefined
  /** Where a shared stream goes on, whatever its ids are. */
  let place: Place | undefined

  const clock = createServerClock()
  const silence = createSilenceWatch((limitMs) =>
    lose({ kind: 'silent', message: `Nothing came for ${Math.round(limitMs / 1_000)} s.` }),
  )

  function update(change: Partial<StreamState<P>> = {}): void {
    cancelFrame?.()
    cancelFrame = undefined
    state = {
      ...state,
      ...ring.read(),
      gaps,
      lastEventId: cursor,
      reader,
      lastSeenAt: silence.lastSeenAt(),
      received,
      clockOffsetMs: clock.offsetMs(),
      ...change,
    }
    for (const listener of stateListeners) listener()
  }

  /** The page need not hear of every event: in a frame, and while many come not in each. While it is hidden there are none. */
  function updateSoon(): void {
    cancelFrame ??= nextFrame(function look(now) {
      if (now - renewedAt < renewMs) {
        cancelFrame = nextFrame(look)
        return
      }
      renewedAt = now
      update()
    })
  }

  /** Goes where `signal` leads, if anywhere: out of the old state with all it held, into the new one. */
  function follow(signal: Signal, change: Partial<StreamState<P>> = {}): boolean {
    const status = nextStatus(state.status, signal)
    if (!status) return false
    forgive()
    clearTimeout(timer)
    if (signal === 'offline') timer = setTimeout(retry, askOfflineMs)
    if (status !== 'open') {
      silence.stop()
      attempt?.source?.close()
      attempt?.abort.abort()
      attempt = undefined
    }
    const isLive = readyStateOf(status) < 2
    if (isLive) stopWatching ??= watchPage(onPage)
    else {
      stopWatching?.()
      stopWatching = undefined
    }
    const closedAt = isLive ? undefined : Date.now()
    update({
      status,
      readyState: readyStateOf(status),
      retryAt: undefined,
      closedAt,
      tabs: undefined,
      ...change,
    })
    // Whoever heard of it may have closed the stream, or opened it again.
    return state.status === status
  }

  function onPage(event: 'away' | 'offline' | 'back'): void {
    if (event === 'away') follow('pause')
    else if (event === 'offline') follow('offline')
    else retry()
  }

  async function connect(): Promise<void> {
    const own: Attempt = { abort: new AbortController() }
    attempt = own
    await Promise.resolve()
    if (attempt !== own) return
    if (join && typeof address === 'string') {
      if (await share(own, join, address)) return
      if (attempt !== own) return
    }
    place = undefined
    delivered = undefined
    const message = `No answer within ${connectTimeoutMs} ms.`
    timer = setTimeout(() => lose({ kind: 'unreachable', message }), connectTimeoutMs)

    let url: string
    try {
      url = typeof address === 'string' ? address : await address()
    } catch (cause) {
      if (attempt === own) lose({ kind: 'url', message: 'There is no URL to open.', cause })
      return
    }
    if (attempt !== own) return
    try {
      url = urlOf(url, { lastEventId: cursor, reader })
      own.source = new EventSource(url, { withCredentials })
    } catch (cause) {
      fail({ kind: 'url', message: `${url} is not a URL.`, cause })
      return
    }
    listenTo(own, own.source, url)
  }

  /** False where the stream can't be shared. */
  async function share(own: Attempt, joinStream: JoinStream, url: string): Promise<boolean> {
    const isStale = (): boolean => attempt !== own
    try {
      own.wake = await joinStream({
        stream: {
          url: urlOf(url),
          withCredentials,
          types: [...parsers.keys()],
          maxEvents,
          maxAttempts: options.maxAttempts,
          connectTimeoutMs,
        },
        cursor,
        reader,
        place,
        signal: own.abort.signal,
        onNews: (news) => isStale() || hearShared(news, isStale),
        onError: (error) => isStale() || report(error),
        onGone: (error) => isStale() || lose(error),
      })
      return true
    } catch {
      // Why does not matter: there is another way.
      return false
    }
  }

  /** Follows the stream that all tabs share: what came, and where it stands. */
  function hearShared({ stream, items, ...told }: SharedNews, isStale: () => boolean): void {
    if (told.reader !== undefined && !isRead(told.reader)) return
    for (const [index, item] of items.entries()) {
      place = { stream, seq: told.seq - items.length + index + 1 }
      if ('reason' in item) skip(item)
      else take(item.type, item.data, item.id, item.receivedAt)
      // Whoever heard of it may have closed the stream.
      if (isStale()) return
    }
    place = { stream, seq: told.seq }
    cursor = told.lastEventId
    if (told.lastSeenAt !== undefined) silence.seen(told.lastSeenAt)
    if (told.clockOffsetMs !== undefined) clock.hear(Date.now() - told.clockOffsetMs)
    const { status, retryAt, error, tabs } = told
    if (status === 'closed') complete()
    else if (status === 'failed' && error) fail(error)
    else if (
      status === state.status &&
      told.attempt === state.attempt &&
      retryAt === state.retryAt &&
      tabs === state.tabs
    ) {
      updateSoon()
    } else {
      const isOpen = status === 'open'
      if (isOpen && state.status !== 'open') connectedAt = Date.now()
      const openedAt = state.openedAt ?? (isOpen ? connectedAt : undefined)
      const readyState = readyStateOf(status)
      update({ status, readyState, attempt: told.attempt, retryAt, error, tabs, openedAt })
    }
  }

  function listenTo(own: Attempt, source: EventSource, url: string): void {
    const listen = (type: string, react: (event: MessageEvent<string>) => void): void =>
      source.addEventListener(type, (event) => {
        if (attempt === own) react(event as MessageEvent<string>)
        // WebKit revives one that was closed in `pagehide`, when the reader comes back to the page.
        else source.close()
      })
    listen('open', (event) => {
      if (isMessage(event)) return
      silence.seen()
      connectedAt = Date.now()
      follow('opened', {
        openedAt: state.openedAt ?? connectedAt,
        attempt: 0,
        error: undefined,
      })
      watchSilence()
    })
    listen('error', (event) => {
      if (isMessage(event)) return
      // One that was open lost its connection, be it that the browser itself ended it because the page is being left.
      if (state.status === 'open') lose({ kind: 'lost', message: 'The connection was lost.' })
      // One that gave up (CLOSED) had an answer it could not use; one that would try again (CONNECTING) had none.
      else if (source.readyState === 2) void askWhy(url)
      else lose({ kind: 'unreachable', message: 'The server did not answer.' })
    })
    for (const type of parsers.keys()) listen(type, (event) => see(event, receive))
    for (const [type, react] of Object.entries(controls)) {
      // A type that is listed is the page's own, whatever it means elsewhere.
      if (!parsers.has(type)) listen(type, (event) => see(event, react))
    }
  }

  /** The id of `event`, or the last one before it: on a new connection a browser knows none of an earlier one. */
  function idOf({ lastEventId }: MessageEvent<string>): string {
    if (!attempt) return lastEventId
    attempt.hasIds ||= lastEventId !== ''
    return attempt.hasIds ? lastEventId : cursor
  }

  function see(event: MessageEvent<string>, react: (event: MessageEvent<string>) => void): void {
    // That a connection opened or broke is no event, though the page may list one of that name.
    if (!isMessage(event)) return
    silence.seen()
    react(event)
  }

  const controls: Record<ControlType, (event: MessageEvent<string>) => void> = {
    connected(event) {
      const told = hear(event.data)
      const beatMs = told['heartbeatMs']
      const isOurs = typeof beatMs === 'number' && beatMs > 0
      // Ours starts anew where it names no place.
      cursor = isOurs ? event.lastEventId : idOf(event)
      if (!isOurs) return
      heartbeatMs = beatMs
      if (attempt) attempt.hasBegun = true
      delivered = parseCursor(cursor)?.offset
      if (isReaderKey(told['reader']) && !isRead(told['reader'])) return
      update()
      watchSilence()
    },
    ping(event) {
      cursor = idOf(event)
      hear(event.data)
      updateSoon()
    },
    resync(event) {
      cursor = idOf(event)
      if (attempt?.hasBegun) delivered = parseCursor(cursor)?.offset
      updateSoon()
      const gap = parseGap(event.data)
      if (gap) skip(gap)
    },
    reconnect({ data }) {
      const { retryMs, reason } = parseJsonObject(data) ?? {}
      const askedMs = typeof retryMs === 'number' ? retryMs : 0
      const error: StreamError = { kind: 'asked', message: 'The server asked to come back.' }
      // A stream that was well only moves. One that was refused, by a server about to stop, has yet to find another.
      if (attempt?.hasBegun && moving.includes(reason)) leave(error, 0, askedMs * Math.random())
      else lose(error, askedMs)
    },
    end: () => complete(),
  }

  /** What a control event says, and the time it says it is. */
  function hear(data: string): Record<string, unknown> {
    const told = parseJsonObject(data) ?? {}
    if (typeof told['time'] === 'number') clock.hear(told['time'])
    return told
  }

  function receive(message: MessageEvent<string>): void {
    const { type, data } = message
    const id = idOf(message)
    const offset = delivered === undefined ? undefined : parseCursor(id)?.offset
    if (delivered !== undefined && offset !== undefined) {
      if (offset <= delivered) return
      delivered = offset
    }
    take(type, data, id, Date.now())
  }

  function take(type: string, data: string, id: string, receivedAt: number): void {
    cursor = id
    received++
    updateSoon()
    let parsed: unknown
    try {
      parsed = parseWith(parsers.get(type) ?? String, data)
    } catch (cause) {
      report({ kind: 'event', message: `An event of type ${type} could not be parsed.`, cause })
      return
    }
    const event = { seq: ++seq, type, data: parsed, id, receivedAt }
    ring.push(event as ReceivedEvent<P>)
    for (const listener of eventListeners) listener(event as ReceivedEvent<P>)
  }

  function skip(gap: Gap): void {
    gaps = [...gaps, { ...gap, beforeSeq: seq + 1 }].slice(-maxEvents)
    for (const listener of gapListeners) listener(gap)
  }

  function report(error: StreamError): void {
    for (const listener of errorListeners) listener(error)
  }

  /** The connection is gone: asks again after a while, at least as long as the server asked for. */
  function lose(error: StreamError, askedMs?: number): void {
    forgive()
    countFailure()
    leave(error, failures, backoffMs(failures, askedMs))
  }

  function leave(error: StreamError, attempts: number, delayMs: number): void {
    if (!follow('lost', { error, attempt: attempts })) return
    report(error)
    if (state.status === 'reconnecting') waitToRetry(delayMs)
  }

  /** A connection that was good for a while makes up for all that failed before it. */
  function forgive(): void {
    if (state.status === 'open' && Date.now() - connectedAt >= goodAfterMs) failures = 0
  }

  /** Without a network, that one attempt more failed says nothing about the server. */
  function countFailure(): void {
    failures = navigator.onLine ? failures + 1 : Math.max(1, failures)
  }

  /** Asks once more, with a request that can be told the status. It counts as an attempt. */
  async function askWhy(url: string): Promise<void> {
    const asked: StreamError = { kind: 'refused', message: 'The server refused the stream.' }
    countFailure()
    if (!follow('lost', { error: asked, attempt: failures })) return
    const own: Attempt = { abort: new AbortController() }
    attempt = own
    timer = setTimeout(() => own.abort.abort(), connectTimeoutMs)
    const verdict = await probe(url, withCredentials, own.abort.signal)
    if (attempt !== own) return
    if (verdict.kind === 'end') complete()
    else if (verdict.kind === 'never') fail(verdict.error)
    else {
      countFailure()
      update({ error: verdict.error, attempt: failures })
      report(verdict.error)
      if (attempt === own) waitToRetry(backoffMs(failures, verdict.askedMs))
    }
  }

  function waitToRetry(delayMs: number): void {
    clearTimeout(timer)
    attempt = undefined
    if (!navigator.onLine) {
      follow('offline')
      return
    }
    if (failures >= maxAttempts) {
      fail({ kind: 'unreachable', message: `No answer after ${failures} attempts.` })
      return
    }
    timer = setTimeout(retry, delayMs)
    update({ retryAt: Date.now() + delayMs })
  }

  function retry(): void {
    if (attempt?.wake) attempt.wake()
    else if (state.status === 'open') silence.check()
    else if (follow('retry')) void connect()
  }

  function complete(): void {
    forget()
    follow('close', { closedBy: 'server', error: undefined })
  }

  function forget(): void {
    cursor = ''
    delivered = undefined
    place = undefined
  }

  function fail(error: StreamError): void {
    if (error.kind === 'reader') changeReader(error)
    else if (follow('refuse', { error })) report(error)
  }

  /** Notes who reads. False where that is another than before, and the stream has ended. */
  function isRead(by: string): boolean {
    if (reader !== undefined && reader !== by) {
      fail(readerChanged)
      return false
    }
    reader = by
    return true
  }

  /** Nothing of one reader's may meet another: not a cursor, not a list, not by itself. */
  function changeReader(error: StreamError): void {
    const wasNobody = reader === undefined || reader === anonymousReader
    forget()
    reader = undefined
    if (wasNobody) {
      empty()
      if (!follow('lost', { error })) update({ error })
    } else {
      isLeftOver = true
      follow('refuse', { error })
    }
    report(error)
    for (const listener of readerListeners) listener()
    if (wasNobody && follow('retry', { error: undefined })) void connect()
  }

  function empty(): void {
    ring.clear()
    gaps = []
    received = 0
    isLeftOver = false
  }

  function watchSilence(): void {
    if (heartbeatMs !== undefined) silence.start(silentAfterHeartbeats * heartbeatMs)
  }

  return {
    getState: () => state,
    subscribe: (listener) => subscribeTo(stateListeners, listener),
    onEvent: (listener) => subscribeTo(eventListeners, listener),
    onGap: (listener) => subscribeTo(gapListeners, listener),
    onReaderChange: (listener) => subscribeTo(readerListeners, listener),
    onError: (listener) => subscribeTo(errorListeners, listener),
    open({ from } = {}) {
      if (nextStatus(state.status, 'open') === undefined) return
      if (from === 'start') forget()
      if (isLeftOver) empty()
      received = 0
      const anew = { closedBy: undefined, error: undefined, attempt: 0, openedAt: undefined }
      if (follow('open', anew)) void connect()
    },
    close() {
      follow('close', { closedBy: 'user', error: undefined })
    },
    disable() {
      follow('disable', { closedBy: undefined, error: undefined })
    },
    reconnect: retry,
    clear() {
      ring.clear()
      gaps = []
      update()
    },
    use({ url, types }) {
      address = url
      for (const [type, parser] of Object.entries<Parser>(types ?? {})) parsers.set(type, parser)
    },
  }
}

/** False for what an EventSource tells of itself under the same names. */
function isMessage(event: Event): boolean {
  return 'data' in event
}

/** Only the browser can set the `Last-Event-ID` header, so a new EventSource presents in the URL what it knows. */
function urlOf(url: string, known: Record<string, string | undefined> = {}): string {
  // A worker has no document, and is given absolute URLs.
  const absolute = new URL(url, globalThis.document?.baseURI)
  for (const [name, value] of Object.entries(known)) {
    if (value) absolute.searchParams.set(name, value)
  }
  return absolute.href
}

function subscribeTo<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
