/** A stored event as a frame: plain, or in the envelope that tells topic, type and time. */
import { formatCursor } from '@/protocol/cursor'
import { encodeEvent, type StoredEvent } from '@/protocol/event'

/** What a stream is of: which topics, and in which form. */
export interface StreamForm {
  readonly topics: readonly string[]
  /** Every event as a `message` whose data is one line of JSON: `{topic, type, time, data}`. */
  readonly envelope: boolean
  /** The same for streams of the same form. */
  readonly key: string
}

export function createForm(topics: readonly string[], envelope: boolean): StreamForm {
  return { topics, envelope, key: `${envelope} ${topics.join()}` }
}

export function encodeStoredEvent(event: StoredEvent, envelope: boolean): string {
  const { topic, type, time, data } = event
  const id = formatCursor(event)
  return envelope
    ? encodeEvent({ id, data: JSON.stringify({ topic, type, time, data }) })
    : encodeEvent({ id, type, data })
}
