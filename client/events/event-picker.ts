/** Maps a list of events that grows at its end and shrinks at its front, without visiting all events each time. */

import { lowerBound } from '@/protocol/lower-bound'

interface Numbered {
  seq: number
}

/**
 * Returns a function that maps events with `pick`, and leaves out undefined results. Call it whenever the events change. It visits
 * only new events, and returns the same array while nothing changes.
 */
export function createEventPicker<E extends Numbered, F extends Numbered>(
  pick: (event: E) => F | undefined,
): (events: readonly E[]) => readonly F[] {
  let last: E | undefined
  let picked: readonly F[] = []

  return (events) => {
    const place = last && placeOf(events, last.seq)
    // If not, this is another list, or all events of the last call have been dropped.
    const goesOn = place !== undefined && events[place] === last
    const gone = goesOn ? placeOf(picked, events[0]?.seq ?? 0) : picked.length
    const more = events.slice(goesOn ? place + 1 : 0).flatMap((event) => pick(event) ?? [])
    if (gone > 0 || more.length > 0) picked = picked.slice(gone).concat(more)
    last = events.at(-1)
    return picked
  }
}

/** How many of the events are older than `seq`. */
export function placeOf(events: readonly Numbered[], seq: number): number {
  return lowerBound(events.length, (index) => (events[index]?.seq ?? 0) < seq)
}
