/** Encodes a stored event as a frame: plain, or in an envelope of topic, type, time and data. */
import { formatCursor } from '@/protocol/cursor'
import { encodeEvent, type StoredEvent } from '@/protocol/event'

export function encodeStoredEvent(event: StoredEvent, envelope: boolean): string {
  const { topic, type, time, data } = event
  const id = formatCursor(event)
  return envelope
    ? encodeEvent({ id, data: JSON.stringify({ topic, type, time, data }) })
    : encodeEvent({ id, type, data })
}
