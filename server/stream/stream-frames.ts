/** The frames that a stream adds to those of its feed, and the headers of its response. */
import { encodeControl, type ReconnectReason } from '@/protocol/control-events'
import { neverAPage } from '@/server/answer'
import type { Feed } from './feed'

/**
 * The first line of every stream. When a connection breaks inside a frame, some clients prepend the incomplete frame to the next
 * stream; WebKit even prepends half a line. This line ends that half line. No empty line follows, because it would deliver the
 * incomplete event. Instead, the next control event absorbs the rest: its type and id replace those of the incomplete frame.
 */
const firstLine = ':\n'

/** `reader` is the reader's key, or undefined when the stream does not distinguish readers. */
export function streamHeaders(reader: string | undefined): Record<string, string> {
  return {
    'Content-Type': 'text/event-stream; charset=utf-8',
    // Next compresses every response without `no-transform`.
    'Cache-Control': 'no-cache, no-transform',
    // Otherwise a browser would reconnect on the same socket, and keep a draining process alive.
    Connection: 'close',
    'Last-Modified': httpDate(),
    'X-Accel-Buffering': 'no',
    ...neverAPage,
    ...(reader !== undefined && {
      'Event-Reader': reader,
      // Otherwise a cache could tell another client who the reader is.
      'Cache-Control': 'no-store, no-cache, no-transform',
      Vary: 'Cookie, Authorization',
    }),
  }
}

let dateSecond = 0
let dateText = ''

/** Now, as a header says it: text for a whole second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1_000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(second * 1_000).toUTCString()
  }
  return dateText
}

export function connectedFrame(
  feed: Feed,
  {
    heartbeatMs,
    retryMs,
    reader,
  }: { heartbeatMs: number; retryMs: number; reader: string | undefined },
): Uint8Array {
  const cursor = feed.cursor()
  const data = {
    cursor: cursor ?? null,
    resumed: feed.resumed,
    heartbeatMs,
    time: Date.now(),
    reader,
  }
  return Buffer.from(
    firstLine + encodeControl('connected', data, { id: cursor, retryMs: jittered(retryMs) }),
  )
}

/** `id` is where the stream is. */
export function pingFrame(id: string | undefined): Uint8Array {
  return Buffer.from(encodeControl('ping', { time: Date.now() }, { id }))
}

export function endFrame(): Uint8Array {
  return Buffer.from(encodeControl('end', {}))
}

export function reconnectFrame(reason: ReconnectReason, retryMs: number): Uint8Array {
  return Buffer.from(reconnect(reason, retryMs, undefined))
}

/**
 * The whole text of a refused stream: `reconnect` without `connected`. Sends the reader's own cursor as the id, so that the id of an
 * incomplete frame does not replace it.
 */
export function refusedStream(
  reason: ReconnectReason,
  retryMs: number,
  lastEventId: string | undefined,
): string {
  return firstLine + reconnect(reason, retryMs, lastEventId)
}

function reconnect(reason: ReconnectReason, retryMs: number, id: string | undefined): string {
  const waitMs = jittered(retryMs)
  return encodeControl('reconnect', { retryMs: waitMs, reason }, { id, retryMs: waitMs })
}

/** Random, so that readers that lost their connections together do not reconnect together. */
function jittered(retryMs: number): number {
  return Math.round(retryMs * (1 + Math.random()))
}
