/** The list's filter: a plain text, looked for in an event's type, id and data, in letters of either case. */
import { createEventPicker } from '@/client/connection/event-picker'
import { formatId } from '@/components/ui/format'
import type { TopicEvent } from '@/hooks/use-topics'

/** Undefined for a text that filters nothing. */
export function patternOf(text: string): RegExp | undefined {
  return text === '' ? undefined : new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'i')
}

/** The events that match. To be asked again as more of them come: it looks at those alone that it has not seen. */
export function createMatching(
  text: string,
): (events: readonly TopicEvent[]) => readonly TopicEvent[] {
  const pattern = patternOf(text)
  if (!pattern) return (events) => events
  return createEventPicker((event) => {
    const { type, id, data } = event
    // The id as it is shown; whole, it would match by what all events have in common.
    const texts = [type, data, formatId(id)]
    return texts.some((part) => pattern.test(part)) || id === text ? event : undefined
  })
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
