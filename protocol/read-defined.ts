/** Reads events of defined topics: the text becomes the output of its schema. */
import { keyOf, schemaOf, type Topics } from './define-topics'
import { parseText } from './schema'

/** An event as it came, with its data as text. */
export interface UnreadEvent {
  /** The cursor of the event. */
  id: string
  topic: string
  type: string
  /** The text, as published. */
  data: string
  /** When it was published: milliseconds since the Unix epoch. */
  time: number
}

/**
 * A kept event does not fit its schema, for example because the schema has changed since the event was published, or because this reader
 * has an older definition than the publisher. The event is still kept: a reader with a fitting schema gets it.
 */
export class UnreadableEventError extends Error {
  override name = 'UnreadableEventError'
  readonly code = 'unreadable-event'
  /** The event, with its text. */
  readonly event: UnreadEvent

  constructor(event: UnreadEvent, reason: string, cause?: unknown) {
    super(`The event ${event.id} (${event.type} of ${event.topic}) can't be read: ${reason}`, {
      cause,
    })
    this.event = event
  }
}

/**
 * The key of the definition that the event belongs to, and its data as the schema makes it.
 * @throws {UnreadableEventError} the definition does not list the event, or its data does not fit
 */
export function readDefined(topics: Topics, event: UnreadEvent): { key: string; data: unknown } {
  const key = keyOf(topics, event.topic)
  const schema = key === undefined ? undefined : schemaOf(topics, key, event.type)
  if (key === undefined || !schema) {
    throw new UnreadableEventError(event, 'defineTopics does not list its type.')
  }
  try {
    return { key, data: parseText(schema, event.data) }
  } catch (error) {
    throw new UnreadableEventError(
      event,
      error instanceof Error ? error.message : String(error),
      error,
    )
  }
}
