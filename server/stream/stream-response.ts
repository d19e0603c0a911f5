/**
 * A feed as a streaming HTTP response: `connected` first, the feed's frames at the reader's pace, `ping` after silence,
 * `end` when the feed is complete. Where the events come from is the feed's business.
 */
import { encodeControl, type ReconnectReason } from '@/protocol/control-events'
import type { Feed } from './feed'
import { log } from '@/server/observe/journal'
import { delivered, metrics } from '@/server/observe/metrics'
import { watchHeartbeat, type Beating } from './heartbeat'
import { neverAPage } from '@/server/never-a-page'
import { addStream, refusalOfStream } from './open-streams'
import { claimConnection } from '@/server/node/response-slot'

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
  /** The key of who reads, which the response tells by `Event-Reader` and `connected`. Default: it tells none. */
  reader?: string | undefined
  /** Called once, however the stream ends. */
  onEnd?: (() => void) | undefined
}

const defaultRetryMs = 2_000
const maxChunkBytes = 256 * 1024
/** A reader that takes all there is, from a feed that has it at hand, would keep the event loop to itself: so much, and others have their turn. */
const turnBytes = 64 * 1024
const encoder = new TextEncoder()
/**
 * The first line of every stream. After a cut inside a frame some clients go on with what they have of it: WebKit with half a line,
 * which this line ends as whatever it was. An empty line would now deliver half an event, so none follows: what is left goes under in
 * the control event that comes next, whose type and id replace what was left of those.
 */
const firstLine = ':\n'

/** Where a stream goes. */
export interface Outlet {
  /** False when the next chunk must wait for `goOn`. */
  write(chunk: Uint8Array): boolean
  close(): void
}

/** A stream on its way, or before. */
export interface Stream {
  /** Begins, and goes to `outlet`. */
  send: (outlet: Outlet) => void
  /** The outlet has room again. */
  goOn: () => void
  /** Ends it, begun or not. */
  stop: () => void
}

/** What stands behind the body of a response, until it is taken out. */
interface Held {
  stream: Stream | undefined
}

const held = new WeakMap<Response, Held>()

/** Takes out of `response` the stream that `streamResponse` made it of, to send it another way: its body is empty from then on. */
export function takeStream(response: Response): Stream | undefined {
  const holder = held.get(response)
  const stream = holder?.stream
  if (holder) holder.stream = undefined
  return stream
}

/**
 * Nothing begins before the response is read, so one that never is (a HEAD, a reader already gone) leaves nothing behind.
 * The feed is closed however the stream ends. A feed that fails ends its stream without `end`, and is logged once. A reader whose
 * connection can't have a stream is asked to come back.
 */
export function streamResponse(feed: Feed, options: StreamOptions): Response {
  const stream = createStream(feed, options)
  const refused = options.signal.aborted ? undefined : claimConnection()
  if (refused) {
    stream.stop()
    const { retryMs = defaultRetryMs, reader } = options
    return comeBackResponse(refused, { retryMs, lastEventId: feed.cursor ?? '', reader })
  }
  const holder: Held = { stream }
  const response = new Response(bodyOf(holder), { headers: streamHeaders(options.reader) })
  held.set(response, holder)
  return response
}

/**
 * Refuses a stream for what will pass: it asks the reader to come back, and closes. Any status but 200 would end a native EventSource
 * for good. `lastEventId` is the cursor that the reader presented, empty when it presented none.
 */
export function comeBackResponse(
  reason: ReconnectReason,
  {
    retryMs,
    lastEventId,
    reader,
  }: { retryMs: number; lastEventId: string; reader?: string | undefined },
): Response {
  return new Response(refusal(reason, retryMs, lastEventId), { headers: streamHeaders(reader) })
}

/** What HEAD answers where GET would answer `response`: the same status and headers, and no stream opened. */
export async function headOf(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, { status: response.status, headers: response.headers })
}

function streamHeaders(reader: string | undefined): Record<string, string> {
  return {
    'Content-Type': 'text/event-stream; charset=utf-8',
    // `no-transform` is the one thing that keeps Next from compressing a stream.
    'Cache-Control': 'no-cache, no-transform',
    // A browser would reconnect on the same socket, and so keep a draining process alive.
    Connection: 'close',
    'Last-Modified': new Date().toUTCString(),
    'X-Accel-Buffering': 'no',
    ...neverAPage,
    // Who reads is a matter of this request alone, so that no cache may answer another with it.
    ...(reader !== undefined && {
      'Event-Reader': reader,
      'Cache-Control': 'no-store, no-cache, no-transform',
      Vary: 'Cookie, Authorization',
    }),
  }
}

function bodyOf(holder: Held): ReadableStream<Uint8Array> {
  let hasBegun = false
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { stream } = holder
        if (hasBegun) return stream?.goOn()
        hasBegun = true
        if (!stream) return controller.close()
        stream.send({
          write(chunk) {
            controller.enqueue(chunk)
            return false
          },
          close: () => closeQuietly(controller),
        })
      },
      cancel: () => holder.stream?.stop(),
    },
    { highWaterMark: 0 },
  )
}

function createStream(
  feed: Feed,
  {
    signal,
    heartbeatMs = 15_000,
    retryMs = defaultRetryMs,
    maxStreams = Infinity,
    maxAgeMs = Infinity,
    expiresAt = Infinity,
    reader,
    onEnd,
  }: StreamOptions,
): Stream {
  const agedAt = Date.now() + maxAgeMs * (0.8 + 0.2 * Math.random())
  const heartbeat: Beating = {
    sentAt: 0,
    leaveAt: Math.min(agedAt, expiresAt),
    beat: advance,
  }
  let outlet: Outlet | undefined
  let stopBegun: (() => void) | undefined
  let canSend = false
  let room = turnBytes
  let isAdvancing = false
  let isOver = false
  let awaitsFeed = false
  let failure: { cause: unknown } | undefined
  let asked: ReconnectReason | undefined

  function begin(): void {
    const stopHeartbeat = watchHeartbeat(heartbeatMs, heartbeat)
    const remove = addStream({
      leave(reason) {
        asked = reason
        advance()
      },
    })
    stopBegun = () => {
      stopHeartbeat()
      remove()
    }
  }

  function stop(): void {
    if (isOver) return
    isOver = true
    signal.removeEventListener('abort', stop)
    stopBegun?.()
    feed.close().catch(logFailure)
    onEnd?.()
    outlet?.close()
  }

  function send(chunk: Uint8Array): true {
    heartbeat.sentAt = performance.now()
    delivered.bytes += chunk.length
    delivered.chunks++
    room -= chunk.length
    canSend = false
    if (outlet?.write(chunk)) goOn()
    return true
  }

  function sendLast(chunk: Uint8Array): true {
    send(chunk)
    stop()
    return true
  }

  function reasonToLeave(): ReconnectReason | undefined {
    const now = Date.now()
    if (now >= expiresAt) return 'expired'
    return now >= agedAt ? 'max-age' : asked
  }

  function isSilent(): boolean {
    return performance.now() - heartbeat.sentAt >= heartbeatMs
  }

  function open(): true {
    const reason = refusalOfStream(maxStreams)
    if (reason) return sendLast(refusal(reason, retryMs, feed.cursor))
    begin()
    return send(connectedFrame(feed, heartbeatMs, retryMs, reader))
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

  /** Does the next thing; false when there is nothing to do, or no room. */
  function step(): boolean {
    if (isOver || !canSend) return false
    if (failure) throw failure.cause
    if (!stopBegun) return open()
    const reason = reasonToLeave()
    if (reason) return sendLast(encoder.encode(reconnectFrame(reason, retryMs)))
    const chunk = feed.take(maxChunkBytes)
    if (chunk === 'end') return sendLast(encoder.encode(encodeControl('end', {})))
    if (chunk) return send(chunk)
    if (isSilent()) return send(pingFrame(feed))
    awaitFeed()
    return false
  }

  /** Does what can be done now. No promises: with many streams, they would cost more than the sending. */
  function advance(): void {
    if (isAdvancing) return
    isAdvancing = true
    try {
      let goesOn = true
      while (goesOn) goesOn = step()
    } catch (error) {
      logFailure(error)
      stop()
    }
    isAdvancing = false
  }

  function goOn(): void {
    if (room > 0) {
      canSend = true
      advance()
    } else {
      room = turnBytes
      setImmediate(goOn)
    }
  }

  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop)

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

function connectedFrame(
  feed: Feed,
  heartbeatMs: number,
  retryMs: number,
  reader: string | undefined,
): Uint8Array {
  const { cursor, resumed } = feed
  const data = { cursor: cursor ?? null, resumed, heartbeatMs, time: Date.now(), reader }
  return encoder.encode(
    firstLine + encodeControl('connected', data, { id: cursor, retryMs: jittered(retryMs) }),
  )
}

function pingFrame({ cursor }: Feed): Uint8Array {
  return encoder.encode(encodeControl('ping', { time: Date.now() }, { id: cursor }))
}

function reconnectFrame(reason: ReconnectReason, retryMs: number, id?: string): string {
  const wait = jittered(retryMs)
  return encodeControl('reconnect', { retryMs: wait, reason }, { id, retryMs: wait })
}

/** All of a stream that never was: a `reconnect` before any `connected`. Its id is the reader's place, so that no id left over from a cut becomes it. */
function refusal(
  reason: ReconnectReason,
  retryMs: number,
  id: string | undefined,
): Uint8Array<ArrayBuffer> {
  metrics.refusals.inc({ reason })
  return encoder.encode(firstLine + reconnectFrame(reason, retryMs, id))
}

/** Readers that lost their connections together must not come back together. */
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
