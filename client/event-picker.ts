/** Follows a list of events that grows at its end and loses from its front, without walking all of it each time. */

import { lowerBound } from '@/protocol/lower-bound'

interface Numbered {
  seq: number
}

/**
 * Makes a function that lists what `pick` makes of each event, without undefined. Call it again whenever the events change: it looks
 * only at events that it has not seen, and returns the same array while nothing changes.
 */
export function createEventPicker<E extends Numbered, F extends Numbered>(
  pick: (event: E) => F | undefined,
): (events: readonly E[]) => readonly F[] {
  let last: E | undefined
  let picked: readonly F[] = []

  return (events) => {
    const place = last && placeOf(events, last.seq)
    // Otherwise it is another list, or all of the old one has left it.
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
