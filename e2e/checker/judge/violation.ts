/** A promise that was broken. */

export type ViolationKind =
  /** An event did not reach a reader, and no `resync` told that reader. */
  | 'lost'
  /** A reader got an event again, and no `resync` explains it. */
  | 'repeated'
  /** Events came in another order than that of their offsets, or have offsets in another order than they were published in. */
  | 'out-of-order'
  /** One id named two events. */
  | 'id-twice'
  /** One publish is in the log twice. */
  | 'published-twice'
  /** A reader got an event of a topic that it did not ask for, or was not granted. */
  | 'wrong-reader'
  /** The data of an event is not what was published. */
  | 'unknown-event'
  /** The log lost an event that a reader had, and the reader was not told before it went on. */
  | 'untold-removal'
  /** A reader was told that the log lost something, but it had not. */
  | 'needless-resync'
  /** A reader did not get the last event of a topic. */
  | 'not-caught-up'
  /** A stream showed an event that was sent after its right had ended. */
  | 'shown-without-right'
  /** A login that held was refused, or told that its right was revoked when it was not. */
  | 'thrown-out'
  /** A request got an answer that the protocol does not allow here. */
  | 'wrong-answer'

export interface Violation {
  kind: ViolationKind
  at: number
  message: string
  /** What was going on around it, line by line. */
  context: readonly string[]
}
