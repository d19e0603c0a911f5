/** The list's filter: finds a plain text in an event's type, id and data, ignoring case. */
import type { TopicEvent } from 'next-sse/react'
import { formatId } from '@/components/ui/format'
import { indexFrom } from './lower-bound'

/** Undefined for a text that filters nothing. */
export function patternOf(text: string): RegExp | undefined {
  return text === '' ? undefined : new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'i')
}

/**
 * A function that picks the events that match. Call it again as the list grows at its end and loses from its front: it looks only at the
 * events it has not seen, and returns the same array while nothing changes.
 */
export function createMatching(
  text: string,
): (events: readonly TopicEvent[]) => readonly TopicEvent[] {
  const pattern = patternOf(text)
  if (!pattern) return (events) => events
  let newest: TopicEvent | undefined
  let matching: readonly TopicEvent[] = []

  function isMatch({ type, id, data }: TopicEvent): boolean {
    // The id as it is shown: the rest of it is the same in all events.
    return [type, data, formatId(id)].some((part) => pattern?.test(part)) || id === text
  }

  return (events) => {
    const index = newest ? indexFrom(events, newest.seq) : 0
    // Otherwise this is another list, or one that has lost everything seen before.
    const goesOn = newest !== undefined && events[index] === newest
    const kept = goesOn ? matching.slice(indexFrom(matching, events[0]?.seq ?? 0)) : []
    const added = events.slice(goesOn ? index + 1 : 0).filter(isMatch)
    const isUnchanged = kept.length === matching.length && added.length === 0
    if (!isUnchanged) matching = kept.concat(added)
    newest = events.at(-1)
    return matching
  }
}

interface Part {
  text: string
  isMatch: boolean
}

/** Splits a text into parts that match and parts that do not. */
export function splitMatches(text: string, pattern: RegExp | undefined): Part[] {
  if (!pattern) return [{ text, isMatch: false }]
  return text
    .split(new RegExp(`(${pattern.source})`, 'gi'))
    .map((part, index) => ({ text: part, isMatch: index % 2 === 1 }))
    .filter((part) => part.text !== '')
}
