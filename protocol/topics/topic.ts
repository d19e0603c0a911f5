/** Topics: the names under which events are published and read. */

/** How many topics one stream may read. */
export const maxTopics = 32

/** Why a list of topics is invalid. */
export type TopicsFault =
  | { fault: 'empty-item' }
  | { fault: 'malformed-item'; item: string }
  | { fault: 'too-many' }

const grammar = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

/** True when `value` matches the grammar `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`. */
export function isTopic(value: string): boolean {
  return grammar.test(value)
}

/** Parses a comma-separated list of topics. Returns each topic once, in the order of first appearance, or the first fault found. */
export function parseTopics(text: string): { topics: string[] } | TopicsFault {
  const topics = new Set<string>()
  for (const item of text.split(',')) {
    if (item === '') return { fault: 'empty-item' }
    if (!isTopic(item)) return { fault: 'malformed-item', item }
    topics.add(item)
    if (topics.size > maxTopics) return { fault: 'too-many' }
  }
  return { topics: [...topics] }
}
