/** Reads the topics from the path of a request. */
import { keyOf, type Topics } from '@/protocol/topics/define-topics'
import { maxTopics, parseTopics } from '@/protocol/topics/topic'
import { Refusal } from '@/server/refusal'

/**
 * The topics in the last segment of the URL's path, at most `limit` of them.
 * @throws {Refusal} `malformed-path`, `invalid-topic` or `too-many-topics`
 */
export function readTopics(url: URL, limit = maxTopics): [string, ...string[]] {
  const parsed = parseTopics(lastSegment(url))
  if ('fault' in parsed) {
    switch (parsed.fault) {
      case 'empty-item':
        throw new Refusal('invalid-topic', 'The path names an empty topic.')
      case 'malformed-item':
        throw new Refusal(
          'invalid-topic',
          'A topic begins with a letter or digit, and has up to 64 letters, digits, `_`, `.` and `-`.',
        )
      case 'too-many':
        throw tooMany(limit)
    }
  }
  const [first, ...rest] = parsed.topics
  if (first === undefined || rest.length >= limit) throw tooMany(limit)
  return [first, ...rest]
}

/** Where the route of `url` is mounted: the path without the last segment, and without a slash at its end. */
export function mountOf(url: string): string {
  return splitPath(new URL(url)).mount
}

function lastSegment(url: URL): string {
  const segment = decodeURIComponent(splitPath(url).last)
  if (!segment.includes('%')) return segment
  // A `%` is left only when the segment could not be decoded: see node/mend-url.ts.
  throw new Refusal('malformed-path', 'The path is not percent-encoded as it should be.')
}

function splitPath({ pathname }: URL): { mount: string; last: string } {
  // With `trailingSlash`, Next ends paths with a slash.
  const path = pathname.replace(/\/$/, '')
  const at = path.lastIndexOf('/')
  return { mount: path.slice(0, at), last: path.slice(at + 1) }
}

function tooMany(limit: number): Refusal {
  return new Refusal(
    'too-many-topics',
    `Name ${limit === 1 ? 'one topic' : `up to ${limit} topics`}.`,
  )
}

/**
 * The keys of the definition that the topics belong to, where these are not the topics themselves.
 * @throws {Refusal} `unknown-topic`
 */
export function keysOf(
  topics: readonly string[],
  defined: Topics | undefined,
): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  if (!defined) return keys
  for (const topic of topics) {
    const key = keyOf(defined, topic)
    if (key === undefined) throw new Refusal('unknown-topic', `There is no topic ${topic}.`)
    if (key !== topic) keys.set(topic, key)
  }
  return keys
}
