/**
 * What a tab and the worker that reads for all tabs say to each other. One worker has one kind of stream, which is its name; a tab is
 * in as long as it holds a Web Lock, so that no farewell is needed, nor can be missed.
 */
import type { Gap } from '@/client/gap'
import type { StreamEvent, StreamState } from '@/client/stream-state'
import type { StreamError } from '@/client/stream-error'

/** To be changed with anything here: tabs of two versions may be open at once. */
export const protocolVersion = 2

/** The worker gives a sign of life after this time at the latest. */
export const beatMs = 5_000

/** What makes two tabs want the same stream. Parsers stay in the tab: functions cross no port. */
export interface SharedStreamOptions {
  /** Absolute. */
  url: string
  withCredentials: boolean
  /** The event types to listen to. */
  types: readonly string[]
  maxEvents: number
  maxAttempts?: number | undefined
  connectTimeoutMs: number
}

/** What a tab has of which stream of a worker's: so many items, from the first. */
export interface Place {
  stream: string
  seq: number
}

/** What a stream brings that a reader must not miss. */
export type Item = StreamEvent<string, string> | Gap

/**
 * The first thing that a tab says. It has what was before `place` or, where the worker does not know that, before `cursor`; and it has
 * that as `reader`, if it knows: it does not go on as any other.
 */
export interface Hello {
  /** The lock that the tab holds. */
  lock: string
  place: Place | undefined
  cursor: string
  reader: string | undefined
}

/** `next`: the last news are read. `wake`: the tab thinks that the stream may be well, or should be. */
export type FromTab = Hello | 'next' | 'wake'

/** Where the stream stands, and what came since the last news, in order. Place and cursor are those after it. */
export interface SharedNews
  extends
    Place,
    Pick<
      StreamState,
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

export interface JoinOptions extends Omit<Hello, 'lock'> {
  stream: SharedStreamOptions
  /** Leaves. */
  signal: AbortSignal
  onNews: (news: SharedNews) => void
  /** Something went wrong with the stream, be it mended later. */
  onError: (error: StreamError) => void
  /** The worker is gone: nothing more will come. */
  onGone: (error: StreamError) => void
}

/** Resolves with the first news; what it resolves with wakes the worker. Rejects where no stream can be shared. */
export type JoinStream = (options: JoinOptions) => Promise<() => void>
