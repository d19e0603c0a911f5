/** The error of reading an event. */

/**
 * An event does not fit its schema: the schema has changed since the event was published, or the publisher has another definition than
 * this reader. The event stays where it is: a reader with a fitting schema gets it.
 */
export class UnreadableEventError extends Error {
  override name = 'UnreadableEventError'
  readonly code = 'unreadable-event'
  readonly topic: string
  readonly type: string

  constructor(event: { topic: string; type: string }, reason: string, cause?: unknown) {
    super(`The event ${event.type} of ${event.topic} can't be read: ${reason}`, { cause })
    this.topic = event.topic
    this.type = event.type
  }
}
