/**
 * Control events: what the server says about the stream itself. They are events, because a browser hides comments,
 * headers and `retry` from script. They are never stored, and no publisher may use their names.
 */
import { encodeEvent } from './event'

/** Each control event's data, by type. Times are in milliseconds since the Unix epoch, by the server's clock. */
export interface ControlEvents {
  /**
   * First frame of every stream. `cursor` is where the stream starts; `resumed` is true when it goes on after the cursor presented;
   * `reader` is the key of who reads, absent where the server tells no readers apart.
   */
  connected: {
    cursor: string | null
    resumed: boolean
    heartbeatMs: number
    time: number
    reader?: string | undefined
  }
  /** Nothing else was sent for a heartbeat. */
  ping: { time: number }
  /** Events of `topics` after `from` may be lost. What is kept follows, from the event `oldest` on; null when nothing is kept. */
  resync: {
    reason: 'trimmed' | 'epoch' | 'future'
    from: string
    oldest: string | null
    topics: string[]
  }
  /** The server is about to close this stream and asks the reader to come back after `retryMs`. */
  reconnect: { retryMs: number; reason: ReconnectReason }
  /** A finite stream is complete; the server closes next. */
  end: Record<string, never>
}

/** Why a reader is asked to come back. */
export type ReconnectReason =
  /** The server is about to stop. */
  | 'drain'
  /** The reader's credentials have expired. */
  | 'expired'
  /** The stream has been open for as long as one may be. */
  | 'max-age'
  /** There are as many streams as there may be: of all readers, or of this one. */
  | 'too-many-streams'
  /** The event log is away. */
  | 'unavailable'
  /** The request came before the server was ready. */
  | 'starting'
  /** The request waited for the answers to others on its connection. */
  | 'pipelined'

export type ControlType = keyof ControlEvents

export function encodeControl<T extends ControlType>(
  type: T,
  data: ControlEvents[T],
  fields: { id?: string | undefined; retryMs?: number } = {},
): string {
  return encodeEvent({ ...fields, type, data: JSON.stringify(data) })
}

const reservedTypes: ReadonlySet<string> = new Set<string>([
  'connected',
  'ping',
  'resync',
  'reconnect',
  'end',
  // EventSource dispatches these two itself.
  'open',
  'error',
] satisfies (ControlType | 'open' | 'error')[])

/** True for the types no publisher may use: a reader could not tell such an event from the stream's own. */
export function isReservedType(type: string): boolean {
  return reservedTypes.has(type)
}
