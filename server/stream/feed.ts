/**
 * The interface between a source of events and an HTTP response. Topics of the log and an app's own events are both feeds.
 * The reader sets the pace: a feed produces a chunk only when the stream takes it.
 */

export interface Feed {
  /**
   * The id from which a reader would resume now. Undefined when the events have no ids. A method: objects with getters of their own
   * share no hidden class in V8, and there is one feed for each open stream.
   */
  cursor(): string | undefined
  /** True when the feed continues after the cursor that its reader presented. */
  readonly resumed: boolean
  /**
   * Returns whole frames, at most `maxBytes` but at least one frame; undefined when there are none now; `'end'` when the feed is
   * complete; `leave` when its reader has no right to more of it, and must come back to be asked again.
   */
  take(maxBytes: number): Uint8Array | undefined | 'end' | { leave: LeaveReason }
  /**
   * Calls `onReady` once, when it is worth calling `take` again, or with the cause when the source has failed. Never calls it before
   * `whenReady` returns. The caller waits for `onReady` before it calls `whenReady` again. After `close`, `onReady` may not be called.
   */
  whenReady(onReady: OnReady): void
  /** Releases everything that the feed has acquired. Closing twice is harmless. */
  close(): Promise<void>
}

export type LeaveReason = 'revoked' | 'expired'

export type OnReady = (failure?: { cause: unknown }) => void

/** Calls `onReady` when `promise` resolves, or with the cause when it rejects. */
export function readyAfter(promise: Promise<void>, onReady: OnReady): void {
  promise.then(
    () => onReady(),
    (cause: unknown) => onReady({ cause }),
  )
}
