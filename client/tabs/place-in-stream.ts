/** Finds where a reader resumes in a shared stream after reading a part of it, perhaps over another connection. */
import { parseCursor } from '@/protocol/cursor'
import type { Place } from '@/client/connection/connection'
import type { Item } from './shared-stream'

/** What a stream has delivered. Nothing is missing in it, except where an item is a gap. */
export interface Delivered {
  name: string
  /** The cursor that it was opened with. */
  from: string
  /** The newest ones, and how many there were with those before. */
  items: readonly Item[]
  seq: number
  /** Where it stands; empty while it has no ids. */
  lastEventId: string
  /** Whether ids are those of a server of ours: others need not be in any order. */
  isOurs: boolean
  /** A reader who has nothing yet needs all of it, and not only the newest. */
  isWhole: boolean
}

/** How many items a reader at `place` has or, if the stream does not know that place, one at `cursor`; undefined if neither tells. */
export function placeIn(delivered: Delivered, cursor: string, place?: Place): number | undefined {
  const { name, from, items, seq, lastEventId, isOurs, isWhole } = delivered
  const before = seq - items.length
  if (place?.stream === name && place.seq >= before) return place.seq
  // The reader has nothing yet, and takes all there is. A stream that went on after a cursor may lack what a new one begins with.
  if (cursor === '') return from === '' && (before === 0 || !isWhole) ? before : undefined
  if (cursor === from && before === 0) return 0
  if (!isOurs) return undefined
  if (cursor === lastEventId) return seq
  const same = items.findLastIndex((item) => 'id' in item && item.id === cursor)
  return same >= 0 ? before + same + 1 : placeByOffset(delivered, cursor)
}

/**
 * The place of an id that the stream did not bring, between two ids that it did. Offsets grow along a stream, whatever their epochs, until
 * a gap, after which they may begin again lower. The id must have the epoch of the next one: with the epoch of the one before, it may
 * name an event that was lost in between.
 */
function placeByOffset(
  { from, items, seq, lastEventId }: Delivered,
  cursor: string,
): number | undefined {
  const before = seq - items.length
  const at = parseCursor(cursor)
  let next = parseCursor(lastEventId)
  if (!at || !next || at.offset > next.offset) return undefined
  for (let index = items.length; index >= 0; index--) {
    const item = items[index - 1]
    const id = item ? 'id' in item && item.id : before === 0 && from
    const last = id ? parseCursor(id) : undefined
    if (!last) return undefined
    if (last.offset <= at.offset) return next.epoch === at.epoch ? before + index : undefined
    next = last
  }
  return undefined
}
