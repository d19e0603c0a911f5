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
  /** Resolves when `take` is worth another try. Rejects when the source failed. */
  ready(signal: AbortSignal): Promise<void>
  /** Gives back whatever the feed holds. Closing twice is harmless. */
  close(): Promise<void>
}
