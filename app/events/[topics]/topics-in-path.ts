/** The topics that a path names. */
import { maxTopics, parseTopics } from '@/protocol/topic'
import { problem, type Problem } from '@/server/problem'

/** What Next gives a route handler of this folder. */
export interface TopicsContext {
  params: Promise<{ topics: string }>
}

/** The path's topics, at most `limit` of them. */
export async function readTopics(
  { params }: TopicsContext,
  limit = maxTopics,
): Promise<{ topics: [string, ...string[]] } | { problem: Problem }> {
  const parsed = parseTopics((await params).topics)
  if ('fault' in parsed) {
    switch (parsed.fault) {
      case 'empty-item':
        return { problem: problem('invalid-topic', 'The path names an empty topic.') }
      case 'malformed-item':
        return {
          problem: problem(
            'invalid-topic',
            'A topic begins with a letter or digit, and has up to 64 letters, digits, `_`, `.` and `-`.',
          ),
        }
      case 'too-many':
        return { problem: tooMany(limit) }
    }
  }
  const [first, ...rest] = parsed.topics
  if (first === undefined || rest.length >= limit) return { problem: tooMany(limit) }
  return { topics: [first, ...rest] }
}

function tooMany(limit: number): Problem {
  return problem('too-many-topics', `Name ${limit === 1 ? 'one topic' : `up to ${limit} topics`}.`)
}
