/**
 * A feed as a streaming HTTP response: `connected` first, the feed's frames at the reader's pace, `ping` after silence,
 * `end` when the feed is complete. Where the events come from is the feed's business.
 */
import { encodeControl, type ReconnectReason } from '@/events/control-events'
import type { Feed } from '@/events/feed'
import { watchHeartbeat, type Beating } from './heartbeat'
import { openStreams } from './metrics'

export interface StreamOptions {
  /** The request's signal. It alone tells of a reader that left before the response was read. */
  signal: AbortSignal
  /** A `ping` is sent after this long without another frame, in milliseconds. Default 15,000. */
  heartbeatMs?: number
  /** How long a browser waits before it reconnects by itself, in milliseconds; each stream gets 1 to 2 times as much. Default 2,000. */
  retryMs?: number
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
export function comeBackResponse({
  retryMs,
  reason,
}: {
  retryMs: number
  reason: ReconnectReason
}): Response {
  const wait = jittered(retryMs)
  const frame = encodeControl('reconnect', { retryMs: wait, reason }, { retryMs: wait })
  return new Response(frame, { headers: streamHeaders() })
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
    'X-Content-Type-Options': 'nosniff',
  }
}

function streamBody(
  feed: Feed,
  { signal, heartbeatMs = 15_000, retryMs = 2_000 }: StreamOptions,
): ReadableStream<Uint8Array> {
  const ended = new AbortController()
  const heartbeat: Beating = { sentAt: 0, beat: () => wake?.() }
  let wake: (() => void) | undefined
  let stopBegun: (() => void) | undefined
  let awaitingFeed = false
  let failure: { cause: unknown } | undefined

  function begin(): void {
    openStreams.inc()
    const stopHeartbeat = watchHeartbeat(heartbeatMs, heartbeat)
    stopBegun = () => {
      stopHeartbeat()
      openStreams.dec()
    }
  }

  function finish(): void {
    if (ended.signal.aborted) return
    signal.removeEventListener('abort', finish)
    ended.abort()
    stopBegun?.()
    wake?.()
    feed.close().catch(logFailure)
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

  /** The next chunk, once there is one; undefined when the stream ended meanwhile. */
  async function nextChunk(): Promise<Uint8Array | 'end' | undefined> {
    while (!ended.signal.aborted) {
      if (failure) throw failure.cause
      const chunk = feed.take(maxChunkBytes)
      if (chunk) return chunk
      if (isSilent()) {
        return encoder.encode(encodeControl('ping', { time: Date.now() }, { id: feed.cursor }))
      }
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
          controller.enqueue(chunk)
        }
        if (ended.signal.aborted) return controller.close()
        if (!stopBegun) {
          begin()
          return send(connectedFrame(feed, heartbeatMs, retryMs))
        }
        try {
          const chunk = await nextChunk()
          if (chunk && chunk !== 'end') return send(chunk)
          if (chunk === 'end') send(encoder.encode(encodeControl('end', {})))
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
  console.error('A stream ended because its feed failed.', error)
}
