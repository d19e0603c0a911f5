/** Reads events of defined topics: the text of an event becomes the output of its schema. */
import { keyOf, schemaOf, type Topics } from './define-topics'
import { parseText } from './schema'
import { UnreadableEventError } from '@/protocol/unreadable-event'

/**
 * The key of the definition that the event belongs to, and its data as the schema makes it.
 * @throws {UnreadableEventError} the definition does not list the event, or its data does not fit
 */
export function readDefined(
  topics: Topics,
  event: { topic: string; type: string; data: string },
): { key: string; data: unknown } {
  const key = keyOf(topics, event.topic)
  const schema = key === undefined ? undefined : schemaOf(topics, key, event.type)
  if (key === undefined || !schema) {
    throw new UnreadableEventError(event, 'it is not defined.')
  }
  try {
    return { key, data: parseText(schema, event.data) }
  } catch (cause) {
    throw new UnreadableEventError(event, cause instanceof Error ? cause.message : '', cause)
  }
}
