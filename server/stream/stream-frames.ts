/** The frames that a stream consists of beside its feed's, and the headers of its response. */
import { encodeControl, type ReconnectReason } from '@/protocol/control-events'
import { neverAPage } from '@/server/answer'
import type { Feed } from './feed'

const encoder = new TextEncoder()

/**
 * The first line of every stream. After a cut inside a frame some clients go on with what they have of it: WebKit with half a line,
 * which this line ends, whatever it was. An empty line here would deliver half an event, so none follows: what is left of the cut
 * frame disappears in the next control event, whose type and id replace those of the cut one.
 */
const firstLine = ':\n'

/** `reader` is the key of who reads; undefined where the stream does not tell readers apart. */
export function streamHeaders(reader: string | undefined): Record<string, string> {
  return {
    'Content-Type': 'text/event-stream; charset=utf-8',
    // Next compresses any response but those that say `no-transform`.
    'Cache-Control': 'no-cache, no-transform',
    // A browser would reconnect on the same socket, and so keep a draining process alive.
    Connection: 'close',
    'Last-Modified': new Date().toUTCString(),
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

export function connectedFrame(
  { cursor, resumed }: Feed,
  {
    heartbeatMs,
    retryMs,
    reader,
  }: { heartbeatMs: number; retryMs: number; reader: string | undefined },
): Uint8Array {
  const data = { cursor: cursor ?? null, resumed, heartbeatMs, time: Date.now(), reader }
  return encoder.encode(
    firstLine + encodeControl('connected', data, { id: cursor, retryMs: jittered(retryMs) }),
  )
}

export function pingFrame({ cursor }: Feed): Uint8Array {
  return encoder.encode(encodeControl('ping', { time: Date.now() }, { id: cursor }))
}

export function endFrame(): Uint8Array {
  return encoder.encode(encodeControl('end', {}))
}

export function reconnectFrame(reason: ReconnectReason, retryMs: number): Uint8Array {
  return encoder.encode(reconnect(reason, retryMs, undefined))
}

/** The whole text of a stream that was refused: `reconnect`, and no `connected`. Its id is the reader's place, so that no id left over from a cut becomes it. */
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

/** Readers that lost their connections together must not come back together. */
function jittered(retryMs: number): number {
  return Math.round(retryMs * (1 + Math.random()))
}
