/** Topic patterns, used in tokens and in the configuration: a topic, `prefix.*` or `*`. */
import { isTopic } from './topic'

/** True for a topic, a topic followed by `.*`, and `*`. */
export function isTopicPattern(value: string): boolean {
  return value === '*' || isTopic(value) || (value.endsWith('.*') && isTopic(value.slice(0, -2)))
}

/** True when one of `patterns` is `*`, the topic itself, or a matching `prefix.*`: `orders.*` matches `orders.eu`, but not `orders`. */
export function matchesTopic(patterns: readonly string[], topic: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === '*' || pattern === topic) return true
    return (
      pattern.endsWith('.*') &&
      topic.startsWith(pattern.slice(0, -1)) &&
      topic.length >= pattern.length
    )
  })
}

/** The patterns `prefix.*` that match the topic, or contain the pattern, shortest first: `a.*` and `a.b.*` for `a.b.c`. */
export function prefixesOf(topic: string): string[] {
  const prefixes: string[] = []
  // A prefix is followed by a dot and at least one more character.
  for (let dot = topic.indexOf('.'); dot !== -1; dot = topic.indexOf('.', dot + 1)) {
    if (dot < topic.length - 1) prefixes.push(`${topic.slice(0, dot)}.*`)
  }
  return prefixes
}
