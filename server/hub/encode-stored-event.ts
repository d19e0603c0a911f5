/** Encodes a stored event as a frame: plain, or in an envelope of topic, key, type, time and data. */
import { formatCursor } from '@/protocol/cursor'
import { encodeEvent, type StoredEvent } from '@/protocol/event'
import type { Selection } from './selection'

export function encodeStoredEvent(
  event: StoredEvent,
  { envelope, keys }: Pick<Selection, 'envelope' | 'keys'>,
): string {
  const { topic, type, time, data } = event
  const id = formatCursor(event)
  if (!envelope) return encodeEvent({ id, type, data })
  // JSON leaves out a key that is undefined.
  return encodeEvent({
    id,
    data: JSON.stringify({ topic, key: keys.get(topic), type, time, data }),
  })
}
