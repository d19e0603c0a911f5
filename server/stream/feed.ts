/**
 * What stands between a source of events and an HTTP response: greetings, topics and a builder's own source are all feeds.
 * The reader's pace decides: nothing is made before it is taken.
 */

export interface Feed {
  /** Where the feed stands: the id a reader would resume from. Undefined when its events carry no ids. */
  readonly cursor: string | undefined
  /** True when the feed goes on after the cursor its reader presented. */
  readonly resumed: boolean
  /** Whole frames of at most `maxBytes`, but at least one; undefined when there is nothing now; `'end'` when the feed is complete. */
  take(maxBytes: number): Uint8Array | undefined | 'end'
  /**
   * Calls `onReady` when `take` is worth another try, or with the cause when the source failed: once, and not before it returns. Not asked
   * again until then. After `close` it need not be called.
   */
  whenReady(onReady: OnReady): void
  /** Gives back whatever the feed holds. Closing twice is harmless. */
  close(): Promise<void>
}

export type OnReady = (failure?: { cause: unknown }) => void

/** Calls `onReady` when `promise` has settled. */
export function readyAfter(promise: Promise<void>, onReady: OnReady): void {
  promise.then(
    () => onReady(),
    (cause: unknown) => onReady({ cause }),
  )
}
