/**
 * A feed as a streaming HTTP response: `connected` first, the feed's frames at the reader's pace, `ping` after silence,
 * `end` when the feed is complete. Where the events come from is the feed's business.
 */
import { encodeControl, type ReconnectReason } from '@/events/control-events'
import type { Feed } from '@/events/feed'
import { log } from '@/observe/log'
import { metrics } from '@/observe/metrics'
import { watchHeartbeat, type Beating } from './heartbeat'
import { neverAPage } from './never-a-page'
import { addStream, refusalOfStream } from './open-streams'

export interface StreamOptions {
  /** The request's signal. It alone tells of a reader that left before the response was read. */
  signal: AbortSignal
  /** A `ping` is sent after this long without another frame, in milliseconds. Default 15,000. */
  heartbeatMs?: number
  /** How long a browser waits before it reconnects by itself, in milliseconds; each stream gets 1 to 2 times as much. Default 2,000. */
  retryMs?: number
  /** How many streams this process sends at once: one beyond is asked to come back. Default: no limit. */
  maxStreams?: number
  /** The reader is asked to come back after 0.8 to 1 times this long, in milliseconds, so that instances even out. Default: never. */
  maxAgeMs?: number | undefined
  /** When the reader's right to the stream ends, in milliseconds since the Unix epoch: nothing is sent from then on but `reconnect`. Default: never. */
  expiresAt?: number | undefined
  /** Called once, however the stream ends. */
  onEnd?: (() => void) | undefined
}

const maxChunkBytes = 256 * 1024
const encoder = new TextEncoder()

/**
 * Nothing begins before the response is read, so one that never is (a HEAD, a reader already gone) leaves nothing behind.
 * The feed is closed however the stream ends. A feed that fails ends its stream without `end`, and is logged once.
 */
export function streamResponse(feed: Feed, options: StreamOptions): Response {
  return new Response(streamBody(feed, options), { headers: streamHeaders() })
}

/**
 * Refuses a stream for what will pass: it asks the reader to come back, and closes. Any status but 200 would end a native EventSource
 * for good.
 */
export function comeBackResponse(reason: ReconnectReason, retryMs: number): Response {
  return new Response(refusalFrame(reason, retryMs), { headers: streamHeaders() })
}

/** What HEAD answers where GET would answer `response`: the same status and headers, and no stream opened. */
export async function headOf(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, { status: response.status, headers: response.headers })
}

function streamHeaders(): Record<string, string> {
  return {
    'Content-Type': 'text/event-stream; charset=utf-8',
    // `no-transform` is the one thing that keeps Next from compressing a stream.
    'Cache-Control': 'no-cache, no-transform',
    // A browser would reconnect on the same socket, and so keep a draining process alive.
    Connection: 'close',
    'Last-Modified': new Date().toUTCString(),
    'X-Accel-Buffering': 'no',
    ...neverAPage,
  }
}

function streamBody(
  feed: Feed,
  {
    signal,
    heartbeatMs = 15_000,
    retryMs = 2_000,
    maxStreams = Infinity,
    maxAgeMs = Infinity,
    expiresAt = Infinity,
    onEnd,
  }: StreamOptions,
): ReadableStream<Uint8Array> {
  const ended = new AbortController()
  const agedAt = Date.now() + maxAgeMs * (0.8 + 0.2 * Math.random())
  const heartbeat: Beating = {
    sentAt: 0,
    leaveAt: Math.min(agedAt, expiresAt),
    beat: () => wake?.(),
  }
  let asked: ReconnectReason | undefined
  let wake: (() => void) | undefined
  let stopBegun: (() => void) | undefined
  let awaitingFeed = false
  let failure: { cause: unknown } | undefined

  function begin(): void {
    const stopHeartbeat = watchHeartbeat(heartbeatMs, heartbeat)
    const remove = addStream({
      leave(reason) {
        asked = reason
        wake?.()
      },
    })
    stopBegun = () => {
      stopHeartbeat()
      remove()
    }
  }

  function reasonToLeave(): ReconnectReason | undefined {
    const now = Date.now()
    if (now >= expiresAt) return 'expired'
    return now >= agedAt ? 'max-age' : asked
  }

  function finish(): void {
    if (ended.signal.aborted) return
    signal.removeEventListener('abort', finish)
    ended.abort()
    stopBegun?.()
    wake?.()
    feed.close().catch(logFailure)
    onEnd?.()
  }

  function isSilent(): boolean {
    return performance.now() - heartbeat.sentAt >= heartbeatMs
  }

  async function awaitFeed(): Promise<void> {
    awaitingFeed = true
    try {
      await feed.ready(ended.signal)
    } catch (cause) {
      failure = { cause }
    }
    awaitingFeed = false
    wake?.()
  }

  /** Resolves when the feed is ready or failed, at the heartbeat, or when the stream has ended. */
  function somethingToDo(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
      if (!awaitingFeed) void awaitFeed()
    })
  }

  /** The next chunk, once there is one, and whether it is the last; undefined when the stream ended meanwhile. */
  async function nextChunk(): Promise<{ chunk: Uint8Array; isLast?: true } | undefined> {
    while (!ended.signal.aborted) {
      if (failure) throw failure.cause
      const reason = reasonToLeave()
      if (reason) return { chunk: reconnectFrame(reason, retryMs), isLast: true }
      const chunk = feed.take(maxChunkBytes)
      if (chunk === 'end') return { chunk: encoder.encode(encodeControl('end', {})), isLast: true }
      if (chunk) return { chunk }
      if (isSilent()) return { chunk: pingFrame(feed) }
      await somethingToDo()
    }
    return undefined
  }

  if (signal.aborted) finish()
  else signal.addEventListener('abort', finish)

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const send = (chunk: Uint8Array): void => {
          heartbeat.sentAt = performance.now()
          metrics.bytesDelivered.inc(chunk.length)
          metrics.chunksDelivered.inc()
          controller.enqueue(chunk)
        }
        if (ended.signal.aborted) return controller.close()
        try {
          if (!stopBegun) {
            const refusal = refusalOfStream(maxStreams)
            if (!refusal) {
              begin()
              return send(connectedFrame(feed, heartbeatMs, retryMs))
            }
            send(refusalFrame(refusal, retryMs))
          } else {
            const next = await nextChunk()
            if (next) send(next.chunk)
            if (next && !next.isLast) return
          }
        } catch (error) {
          logFailure(error)
        }
        finish()
        closeQuietly(controller)
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  )
}

function connectedFrame(feed: Feed, heartbeatMs: number, retryMs: number): Uint8Array {
  const { cursor, resumed } = feed
  const data = { cursor: cursor ?? null, resumed, heartbeatMs, time: Date.now() }
  return encoder.encode(
    encodeControl('connected', data, { id: cursor, retryMs: jittered(retryMs) }),
  )
}

function pingFrame({ cursor }: Feed): Uint8Array {
  return encoder.encode(encodeControl('ping', { time: Date.now() }, { id: cursor }))
}

function reconnectFrame(reason: ReconnectReason, retryMs: number): Uint8Array<ArrayBuffer> {
  const wait = jittered(retryMs)
  return encoder.encode(encodeControl('reconnect', { retryMs: wait, reason }, { retryMs: wait }))
}

/** A `reconnect` before any `connected`: the stream never was. */
function refusalFrame(reason: ReconnectReason, retryMs: number): Uint8Array<ArrayBuffer> {
  metrics.refusals.inc({ reason })
  return reconnectFrame(reason, retryMs)
}

/** Readers that lost their connections together shall not come back together. */
function jittered(retryMs: number): number {
  return Math.round(retryMs * (1 + Math.random()))
}

function closeQuietly(controller: ReadableStreamDefaultController): void {
  try {
    controller.close()
  } catch {
    // Cancelled while the last chunk was awaited: closed already.
  }
}

function logFailure(error: unknown): void {
  log.error({ err: error }, 'A stream ended because its feed failed.')
}
