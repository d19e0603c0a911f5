/**
 * Keeps a stream running: opens one connection after another, and follows the table in transitions.ts when something happens.
 * Stores no events; it passes them to the sink.
 */
import { anonymousReader } from '@/protocol/reader-key'
import { backoffMs } from '@/client/connection/backoff'
import type { Connect, Connection, ConnectionEvents, Place, Tell } from './connection/connection'
import { watchPage } from './page-watch'
import { readerChanged, type StreamError } from './stream-error'
import type { Sink } from './sink'
import type { StreamProgress } from './stream-state'
import {
  readyStateOf,
  transitions,
  type Consequence,
  type Preparation,
  type Signal,
} from './transitions'

export interface ControllerOptions {
  connect: Connect
  /** The state of the stream. Changed in place, because most changes need not be shown. */
  progress: StreamProgress
  sink: Sink
  /** Gives up after this many failed attempts. Default: never. */
  maxAttempts?: number | undefined
}

export interface Controller {
  open: (options?: { from?: 'start' }) => void
  close: () => void
  disable: () => void
  reconnect: () => void
}

/** Lets each table be indexed by any action. */
type No<A extends string> = Partial<Record<A, undefined>>

/** A connection that lasted this long was a good one. */
const goodAfterMs = 5_000
/** How often to try without a network. The server may be on this machine, and trying costs little. */
const askOfflineMs = 30_000

export function createController(options: ControllerOptions): Controller {
  const { connect, progress, sink, maxAttempts = Infinity } = options
  /** Reset not when the stream opens, but when a good connection ends. */
  let failures = 0
  let connectedAt = 0
  let place: Place | undefined
  /** True when the events in the sink belong to another reader. */
  let isLeftOver = false
  let attempt: AbortController | undefined
  let connection: Connection | undefined
  /** One timer is enough, because every state waits for at most one thing. */
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopWatching: (() => void) | undefined
  /** How many transitions there were. */
  let steps = 0
  /** True when the server has answered this client as the reader that it has, or had. */
  let isConfirmed = false

  const prepare: Record<Preparation, (change: Partial<StreamProgress>) => void> & No<Consequence> =
    {
      leave() {
        attempt?.abort()
        attempt = undefined
        connection = undefined
      },
      forget,
      count(change) {
        // Without a network, another failed attempt says nothing about the server.
        failures = navigator.onLine ? failures + 1 : Math.max(1, failures)
        change.attempt = failures
      },
    }
  const follow: Record<Consequence, (askedMs?: number) => void> & No<Preparation> = {
    report() {
      if (progress.error) sink.error(progress.error)
    },
    connect: () => void openConnection(),
    'back off': (askedMs) => waitToRetry(backoffMs(failures, askedMs)),
    spread: (askedMs = 0) => waitToRetry(askedMs * Math.random()),
    'ask seldom'() {
      timer = setTimeout(retry, askOfflineMs)
    },
  }

  const hear: { [E in keyof ConnectionEvents]: (...what: ConnectionEvents[E]) => void } = {
    opened() {
      place = undefined
      step('opened', { attempt: 0, error: undefined })
    },
    event(event, at) {
      place = at
      progress.lastEventId = event.id
      sink.event(event)
    },
    gap(gap, at) {
      place = at
      sink.gap(gap)
    },
    current() {},
    facts(facts, isUrgent, at) {
      place = at
      const { reader = progress.reader } = facts
      if (progress.reader !== undefined && reader !== progress.reader) {
        changeReader(readerChanged)
        return
      }
      Object.assign(progress, facts, { reader })
      confirmReader()
      sink.show(isUrgent)
    },
    probing: (error) => step('probing', { error }),
    lost: (error, askedMs) => step('lost', { error }, askedMs),
    moved: (error, askedMs) => step('moved', { error, attempt: 0 }, askedMs),
    refused(error) {
      if (error.kind === 'reader') changeReader(error)
      else step('refused', { error })
    },
    ended: () => step('ended', { closedBy: 'server', error: undefined }),
    followed(status, worker) {
      step(`follow ${status}`, worker)
      confirmReader()
    },
    trouble: sink.error,
  }

  /** Makes the transition that the table has for this signal, if any. */
  function step(signal: Signal, change: Partial<StreamProgress> = {}, askedMs?: number): void {
    const [status, ...actions] = transitions[progress.status][signal] ?? []
    if (!status) return
    const thisStep = ++steps
    const now = Date.now()
    const wasOpen = progress.status === 'open'
    if (wasOpen && now - connectedAt >= goodAfterMs) failures = 0
    clearTimeout(timer)
    for (const action of actions) prepare[action]?.(change)
    const readyState = readyStateOf(status)
    const isLive = readyState < 2
    if (isLive) stopWatching ??= watchPage(onPage)
    else {
      stopWatching?.()
      stopWatching = undefined
    }
    const closedAt = isLive ? undefined : now
    const left = { status, readyState, closedAt, retryAt: undefined, tabs: undefined }
    Object.assign(progress, left, change)
    if (status === 'open' && !wasOpen) {
      connectedAt = now
      progress.openedAt ??= now
    }
    sink.show(true)
    for (const action of actions) {
      // Stop when a listener has closed or reopened the stream meanwhile.
      if (steps === thisStep) follow[action]?.(askedMs)
    }
  }

  function onPage(event: 'away' | 'offline' | 'back'): void {
    if (event === 'back') retry()
    else step(event)
  }

  async function openConnection(): Promise<void> {
    const leaving = new AbortController()
    const { signal } = leaving
    attempt = leaving
    // Wait, so that a `close()` in the same turn prevents the request.
    await Promise.resolve()
    if (signal.aborted) return
    const { lastEventId: cursor, reader } = progress
    const tell: Tell = (event, ...what) => {
      if (!signal.aborted) (hear[event] as (...told: readonly unknown[]) => void)(...what)
    }
    const opened = await connect({ cursor, reader, place, signal, tell })
    if (!signal.aborted) connection = opened
  }

  function waitToRetry(delayMs: number): void {
    if (!navigator.onLine) step('offline')
    else if (failures >= maxAttempts) {
      const message = `No answer after ${failures} attempts.`
      step('refused', { error: { kind: 'unreachable', message } })
    } else {
      timer = setTimeout(retry, delayMs)
      progress.retryAt = Date.now() + delayMs
      sink.show(true)
    }
  }

  function retry(): void {
    // For a shared stream, the worker reconnects for all its tabs.
    const isShared = progress.tabs !== undefined
    if (isShared || progress.status === 'open') connection?.check()
    else step('retry')
  }

  function forget(): void {
    progress.lastEventId = ''
    place = undefined
  }

  function confirmReader(): void {
    isConfirmed ||= progress.status === 'open' && progress.reader !== undefined
  }

  /** A cursor or list of one reader must not reach another. A page of a signed-in user continues only when it calls `open()`. */
  function changeReader(error: StreamError): void {
    const wasAnonymous = progress.reader === undefined || progress.reader === anonymousReader
    progress.reader = undefined
    // The initial events may be those of a page that was kept from before another user signed in.
    if (wasAnonymous || !isConfirmed) sink.begin(true)
    else isLeftOver = true
    step(wasAnonymous ? 'new reader' : 'other reader', { error })
    sink.readerChanged()
    if (wasAnonymous) step('retry', { error: undefined })
  }

  return {
    open({ from } = {}) {
      if (progress.readyState < 2) return
      if (from === 'start') forget()
      sink.begin(isLeftOver)
      isLeftOver = false
      step('open', { closedBy: undefined, error: undefined, attempt: 0, openedAt: undefined })
    },
    close: () => step('close', { closedBy: 'user', error: undefined }),
    disable() {
      // A stream that was never opened stays as it was created: it may have failed.
      if (steps > 0) step('disable', { closedBy: undefined, error: undefined })
    },
    reconnect: retry,
  }
}
