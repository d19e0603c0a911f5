/**
 * Control events: messages of the server about the stream itself. They are sent as events, because a browser hides comments,
 * headers and `retry` from scripts. They are never stored, and publishers can't use their types.
 */
import { encodeEvent } from './event'
import type { Gap } from './gap'
import type { RunReason, RunStatus } from './run'

/** Each control event's data, by type. Times are in milliseconds since the Unix epoch, by the server's clock. */
export interface ControlEvents {
  /**
   * The first frame of every stream. `cursor` is where the stream starts; `resumed` is true when it continues after the presented
   * cursor; `reader` is the reader's key, absent when the server does not distinguish readers.
   */
  connected: {
    cursor: string | null
    resumed: boolean
    heartbeatMs: number
    time: number
    reader?: string | undefined
  }
  /**
   * Follows `connected` where the request asks for a run: how it stood when the stream began. `run` is its id; null when there is none,
   * or nothing is known of it any more.
   */
  'run.state': { run: string | null; status: RunStatus; reason?: RunReason | undefined }
  /**
   * Sent when there was no other frame for the time of a heartbeat, and when a stream that began in the past has caught up: the reader
   * has all events of its topics up to the id.
   */
  ping: { time: number }
  /** Events may be lost. The kept events follow. */
  resync: Gap
  /** The server is about to close this stream, and asks the reader to reconnect after `retryMs`. */
  reconnect: { retryMs: number; reason: ReconnectReason }
  /** A finite stream is complete; the server closes next. */
  end: Record<string, never>
}

/** Why a reader is asked to reconnect. */
export type ReconnectReason =
  /** The server is about to stop. */
  | 'drain'
  /** The reader's credentials have expired. */
  | 'expired'
  /** The server has ended the right to this stream, for example at a logout. The credentials of the next request decide. */
  | 'revoked'
  /** The stream has reached its maximum age. */
  | 'max-age'
  /** The maximum number of streams is reached: of all clients, or of this one. */
  | 'too-many-streams'
  /** The event log is unavailable. */
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

/** The types that publishers can't use. EventSource dispatches the last two itself. */
export type ReservedType = ControlType | 'open' | 'error'

const reservedTypes: ReadonlySet<string> = new Set<string>([
  'connected',
  'run.state',
  'ping',
  'resync',
  'reconnect',
  'end',
  'open',
  'error',
] satisfies ReservedType[])

/** True for types that publishers can't use, because a reader would take such an event for one of the stream's own. */
export function isReservedType(type: string): boolean {
  return reservedTypes.has(type)
}
