/** The list's filter: a plain text, looked for in an event's type, id and data, in letters of either case. */
import type { TopicEvent } from '@/hooks/use-topics'
import { offsetIn } from './offset-in'
import { placeOf } from './list-rows'

/** Undefined for a text that filters nothing. */
export function patternOf(text: string): RegExp | undefined {
  return text === '' ? undefined : new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'i')
}

/** The events that match. To be asked again as more of them come: it looks at those alone that it has not seen. */
export function createMatching(
  text: string,
): (events: readonly TopicEvent[]) => readonly TopicEvent[] {
  const pattern = patternOf(text)
  let seen = 0
  let matches: readonly TopicEvent[] = []

  function isMatch({ type, id, data }: TopicEvent): boolean {
    // The id as it is shown; whole, it would match by what all events have in common.
    return (
      !pattern ||
      pattern.test(type) ||
      pattern.test(data) ||
      pattern.test(offsetIn(id)) ||
      id === text
    )
  }

  return (events) => {
    if (!pattern) return events
    // After a clear it begins anew: so may the client's count.
    if ((events.at(-1)?.seq ?? 0) < seen) {
      seen = 0
      matches = []
    }
    const gone = placeOf(matches, events[0]?.seq ?? Infinity)
    const more = events.slice(placeOf(events, seen + 1)).filter(isMatch)
    seen = events.at(-1)?.seq ?? 0
    if (gone > 0 || more.length > 0) matches = [...matches.slice(gone), ...more]
    return matches
  }
}

interface Part {
  text: string
  isMatch: boolean
}

/** A text in parts, every other of which matches. */
export function splitMatches(text: string, pattern: RegExp | undefined): Part[] {
  if (!pattern) return [{ text, isMatch: false }]
  return text
    .split(new RegExp(`(${pattern.source})`, 'gi'))
    .map((part, index) => ({ text: part, isMatch: index % 2 === 1 }))
    .filter((part) => part.text !== '')
}
