/**
 * Interprets the frames of one connection: drops repeated events, tracks the cursor, and reads the control events of a next-sse server.
 */
import { parseGap } from '@/protocol/gap'
import type { StreamError } from '@/client/stream-error'
import type { ControlType, ReconnectReason } from '@/protocol/control-events'
import { parseCursor } from '@/protocol/cursor'
import { parseJsonObject } from '@/protocol/json'
import { isReaderKey } from '@/protocol/reader-key'
import type { Tell } from './connection'
import type { ServerClock } from './server-clock'

/** The knowledge about a server that is kept between connections. */
export interface KnownServer {
  clock: ServerClock
  /** Milliseconds. Undefined until a server of ours has named it: others need not send anything for hours. */
  heartbeatMs: number | undefined
}

export type Read = (message: MessageEvent<string>) => void

export interface FrameReader {
  event: Read
  controls: Readonly<Record<ControlType, Read>>
}

/** Why a server sends away readers although nothing is wrong. */
const moving: readonly unknown[] = ['drain', 'max-age', 'revoked'] satisfies ReconnectReason[]

/**
 * Reads the frames of a connection that was asked to go on after `start`. Learns of the server from `connected`, and calls
 * `onHeartbeat` when it has learnt the heartbeat.
 */
export function createFrameReader(
  start: string,
  server: KnownServer,
  tell: Tell,
  onHeartbeat: () => void,
): FrameReader {
  let cursor = start
  /** An event of this connection had an id. */
  let hasIds = false
  /** A server of ours has begun to send. */
  let isOurs = false
  /**
   * The offset up to which a server of ours has sent, since it last said where it goes on: before that, offsets may have been given
   * to other events. The ids of other servers need not be in any order.
   */
  let delivered: number | undefined

  /** The id of `message`, or the last id before it. A new EventSource does not know the ids of an earlier one. */
  function idOf({ lastEventId }: MessageEvent<string>): string {
    hasIds ||= lastEventId !== ''
    return hasIds ? lastEventId : cursor
  }

  function tellFacts(isUrgent = false, reader?: string): void {
    const clockOffsetMs = server.clock.offsetMs()
    tell('facts', { lastEventId: cursor, clockOffsetMs, reader }, isUrgent)
  }

  /** Parses the data of a control event, and notes the server's time. */
  function hear(data: string): Record<string, unknown> {
    const told = parseJsonObject(data) ?? {}
    if (typeof told['time'] === 'number') server.clock.hear(told['time'])
    return told
  }

  return {
    event(message) {
      const { type, data } = message
      const id = idOf(message)
      const offset = parseCursor(id)?.offset
      if (delivered !== undefined && offset !== undefined) {
        if (offset <= delivered) return
        delivered = offset
      }
      cursor = id
      tell('event', { type, data, id, receivedAt: Date.now() })
    },
    controls: {
      connected(message) {
        const { heartbeatMs, reader } = hear(message.data)
        isOurs = typeof heartbeatMs === 'number' && heartbeatMs > 0
        // A server of ours starts from the beginning where it names no place.
        cursor = isOurs ? message.lastEventId : idOf(message)
        if (isOurs) {
          server.heartbeatMs = heartbeatMs as number
          delivered = parseCursor(cursor)?.offset
          onHeartbeat()
        }
        tellFacts(isOurs, isOurs && isReaderKey(reader) ? reader : undefined)
      },
      // An event for the page, though without a place of its own.
      'run.state': ({ type, data }) =>
        tell('event', { type, data, id: cursor, receivedAt: Date.now() }),
      ping(message) {
        cursor = idOf(message)
        hear(message.data)
        tellFacts()
        if (isOurs) tell('current')
      },
      resync(message) {
        cursor = idOf(message)
        if (isOurs) delivered = parseCursor(cursor)?.offset
        tellFacts()
        const gap = parseGap(message.data)
        if (gap) tell('gap', gap)
      },
      reconnect({ data }) {
        const { retryMs, reason } = hear(data)
        const askedMs = typeof retryMs === 'number' ? retryMs : 0
        const error: StreamError = { kind: 'asked', message: 'The server asked to come back.' }
        // A stream that worked only moves. One that was refused, by a server about to stop, has yet to find another server.
        tell(isOurs && moving.includes(reason) ? 'moved' : 'lost', error, askedMs)
      },
      end: () => tell('ended'),
    },
  }
}
