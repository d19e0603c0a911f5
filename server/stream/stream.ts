/**
 * Sends one feed to one reader: first `connected`, then the feed's frames at the reader's pace, `ping` after silence, and `end` when
 * the feed is complete. Knows neither the source of the events nor how bytes are written.
 */
import type { ReconnectReason } from '@/protocol/control-events'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import type { Feed } from './feed'
import type { Beating, WatchHeartbeat } from './heartbeat'
import { createRecheck, type RecheckOptions } from './recheck'
import { connectedFrame, endFrame, pingFrame, reconnectFrame, refusedStream } from './stream-frames'

/** The properties of a stream that depend on its request. */
export interface StreamRequest {
  /** The request's signal. Only this reports a reader that left before the response was read. Undefined when the response itself reports this. */
  signal?: AbortSignal | undefined
  /** When the reader's right to the stream ends, in milliseconds since the Unix epoch. After that, only `reconnect` is sent. Default: never. */
  expiresAt?: number | undefined
  /** How long the right lasts before it must be confirmed. Default: as long as `expiresAt` says. */
  recheck?: RecheckOptions | undefined
  /** The reader's key, sent in `Event-Reader` and `connected`. Default: the stream does not distinguish readers. */
  reader?: string | undefined
  /** Called once, however the stream ends. */
  onEnd?: (() => void) | undefined
}

export interface StreamSettings {
  /** A `ping` is sent after this long without another frame, in milliseconds. */
  heartbeatMs: number
  /** How long a browser waits before it reconnects by itself, in milliseconds. Each stream sends 1 to 2 times this value. */
  retryMs: number
  /** How many streams this process sends at once. Readers of further streams are asked to come back. */
  maxStreams: number
  /** A reader is asked to reconnect after 0.8 to 1 times this time, in milliseconds, so that streams spread evenly over instances. Undefined: never. */
  maxAgeMs: number | undefined
}

/** Shared by all streams of a process. */
export interface StreamHost {
  settings: StreamSettings
  watchHeartbeat: WatchHeartbeat
  /** Returns why no stream may begin now, or undefined when one may. */
  refusal: () => ReconnectReason | undefined
  /** Counts the stream as open until the returned function is called. `leave` asks the stream's reader to come back, and closes. */
  add: (leave: (reason: ReconnectReason) => void) => () => void
}

/** The response that a stream is written to. */
export interface Outlet {
  /** Writes a chunk. Returns false when the next chunk must wait for `goOn`. */
  write(chunk: Uint8Array): boolean
  close(): void
}

export interface Stream {
  /** Starts writing to `outlet`. */
  send: (outlet: Outlet) => void
  /** Call this when the outlet can take another chunk. */
  goOn: () => void
  /** Ends the stream, even when it has not started. */
  stop: () => void
}

const maxChunkBytes = 256 * 1024
/** Yields to the event loop after this many bytes, so that one fast reader can't starve the others. */
const turnBytes = 64 * 1024
const encoder = new TextEncoder()
const never = (): number => Infinity

/**
 * Starts nothing before `send`, so a stream that is never sent leaves nothing open once it is stopped. Closes the feed, however the
 * stream ends. A feed that fails ends its stream without `end`, and is logged once.
 */
export function createStream(
  feed: Feed,
  { signal, expiresAt = Infinity, recheck: recheckOptions, reader, onEnd }: StreamRequest,
  { settings, watchHeartbeat, refusal, add }: StreamHost,
): Stream {
  const { heartbeatMs, retryMs, maxAgeMs = Infinity } = settings
  const agedAt = Date.now() + maxAgeMs * (0.8 + 0.2 * Math.random())
  const recheck = recheckOptions && createRecheck(recheckOptions, advance)
  const heartbeat: Beating = {
    sentAt: 0,
    leaveAt: Math.min(agedAt, expiresAt),
    recheckAt: recheck?.dueAt ?? never,
    beat: advance,
  }
  let outlet: Outlet | undefined
  let stopBegun: (() => void) | undefined
  let canSend = false
  let turnBytesLeft = turnBytes
  let isAdvancing = false
  let isOver = false
  let awaitsFeed = false
  let failure: { cause: unknown } | undefined
  let asked: ReconnectReason | undefined

  function begin(): void {
    const stopHeartbeat = watchHeartbeat(heartbeat)
    const remove = add((reason) => {
      asked = reason
      advance()
    })
    stopBegun = () => {
      stopHeartbeat()
      remove()
    }
  }

  function stop(): void {
    if (isOver) return
    isOver = true
    signal?.removeEventListener('abort', stop)
    stopBegun?.()
    feed.close().catch(journalFailure)
    onEnd?.()
    outlet?.close()
  }

  function send(chunk: Uint8Array): true {
    heartbeat.sentAt = performance.now()
    metrics.delivered.bytes += chunk.length
    metrics.delivered.chunks++
    turnBytesLeft -= chunk.length
    canSend = false
    if (outlet?.write(chunk)) goOn()
    return true
  }

  function sendLast(chunk: Uint8Array): true {
    send(chunk)
    stop()
    return true
  }

  function reasonToLeave(): ReconnectReason | 'unknown' | undefined {
    const now = Date.now()
    if (now >= expiresAt) return 'expired'
    const right = recheck?.look()
    if (right === 'expired') return 'expired'
    if (now >= agedAt) return 'max-age'
    return asked ?? (right === 'unknown' ? 'unknown' : undefined)
  }

  function isSilent(): boolean {
    return performance.now() - heartbeat.sentAt >= heartbeatMs
  }

  function open(): true {
    const reason = refusal()
    if (reason) {
      metrics.refusals.inc({ reason })
      return sendLast(encoder.encode(refusedStream(reason, retryMs, feed.cursor())))
    }
    begin()
    return send(connectedFrame(feed, { heartbeatMs, retryMs, reader }))
  }

  function awaitFeed(): void {
    if (awaitsFeed) return
    awaitsFeed = true
    feed.whenReady(onReady)
  }

  function onReady(result?: { cause: unknown }): void {
    awaitsFeed = false
    failure = result
    advance()
  }

  /** Sends the next frame. Returns false when there is nothing to send, or the outlet is full. */
  function step(): boolean {
    if (isOver || !canSend) return false
    if (failure) throw failure.cause
    if (!stopBegun) return open()
    const reason = reasonToLeave()
    if (reason === 'unknown') return false
    if (reason) return sendLast(reconnectFrame(reason, retryMs))
    const chunk = feed.take(maxChunkBytes)
    if (chunk === 'end') return sendLast(endFrame())
    if (chunk && 'leave' in chunk) return sendLast(reconnectFrame(chunk.leave, retryMs))
    if (chunk) return send(chunk)
    if (isSilent()) return send(pingFrame(feed.cursor()))
    awaitFeed()
    return false
  }

  /** Sends everything that can be sent now. Uses no promises: with many streams, they would cost more than the sending. */
  function advance(): void {
    if (isAdvancing) return
    isAdvancing = true
    try {
      let goesOn = true
      while (goesOn) goesOn = step()
    } catch (error) {
      journalFailure(error)
      stop()
    }
    isAdvancing = false
  }

  function goOn(): void {
    if (turnBytesLeft > 0) {
      canSend = true
      advance()
    } else {
      turnBytesLeft = turnBytes
      setImmediate(goOn)
    }
  }

  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop)

  return {
    send(to) {
      outlet = to
      if (isOver) to.close()
      else goOn()
    },
    goOn,
    stop,
  }
}

function journalFailure(error: unknown): void {
  journal.error({ err: error }, 'A stream ended because its feed failed.')
}
