/**
 * The messages between a tab and the worker that reads for all tabs.
 * A tab takes part while it holds a Web Lock, so it needs no message to leave, and the worker notices a crashed tab.
 */
import type { Attempt, Connection, Place, Position } from '@/client/connection/connection'
import type { Gap } from '@/protocol/gap'
import type { StreamError } from '@/client/stream-error'
import type { RawEvent, StreamProgress } from '@/client/stream-state'

/** To be changed with anything here: tabs of two versions may be open at once. */
export const protocolVersion = 5

/** The worker gives a sign of life after this time at the latest. */
export const beatMs = 5_000

/** What makes two tabs want the same stream. Parsers stay in the tab: functions cross no port. */
export interface SharedStreamOptions {
  /** Absolute. */
  url: string
  withCredentials: boolean
  cursorParam: string
  /** The event types to listen to. */
  types: readonly string[]
  maxEvents: number
  maxAttempts?: number | undefined
  connectTimeoutMs: number
}

/** What a stream brings that a reader must not miss. */
export type Item = RawEvent | Gap

/**
 * The first thing that a tab says: it has everything before `place` or, if the worker does not know that place, before `cursor`. If it
 * names a reader, it goes on as no other.
 */
export interface Hello extends Position {
  /** The lock that the tab holds. */
  lock: string
  stream: SharedStreamOptions
}

/** `next`: the tab has read the last news. `wake`: the tab wants the connection checked, or the wait ended. */
export type FromTab = Hello | 'next' | 'wake'

/** Where the stream stands, and what came since the last news, in order. Place and cursor are those after it. */
export interface SharedNews
  extends
    Place,
    Pick<
      StreamProgress,
      | 'status'
      | 'lastEventId'
      | 'error'
      | 'attempt'
      | 'retryAt'
      | 'lastSeenAt'
      | 'clockOffsetMs'
      | 'reader'
      | 'tabs'
    > {
  items: readonly Item[]
  /** The lock that the worker holds while it lives. */
  lock: string
}

export type FromWorker = SharedNews | { failure: StreamError }

/** An attempt to read `url` through the worker. */
export interface SharedAttempt extends Attempt, Omit<SharedStreamOptions, 'types'> {
  types: { keys: () => Iterable<string> }
}

/** Resolves with the first news. Rejects where no stream can be shared, and when the attempt is aborted before that. */
export type JoinStream = (attempt: SharedAttempt) => Promise<Connection>
