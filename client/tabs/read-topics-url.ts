/** Tells which topics a stream reads: only such streams, as useTopics and useRun ask for them, can be read together with others. */
import { parseTopics } from '@/protocol/topics/topic'
import type { SharedStreamOptions } from './shared-stream'

export interface TopicsUrl {
  /** Where the topic route is mounted: the URL without topics and query. */
  route: string
  topics: ReadonlySet<string>
  /** The stream begins with what is published from now on, unless it is given a cursor. */
  isFromNow: boolean
}

/** What a URL may say besides its topics: where the stream begins, and that its events name their topics. */
const known: ReadonlySet<string> = new Set(['envelope', 'last', 'since'])

/** Undefined for any other stream. */
export function readTopicsUrl({
  url,
  cursorParam,
  types,
}: SharedStreamOptions): TopicsUrl | undefined {
  const { origin, pathname, searchParams } = new URL(url)
  const at = pathname.lastIndexOf('/')
  const parsed = parseTopics(pathname.slice(at + 1))
  const isAsOurs =
    searchParams.get('envelope') === '1' &&
    [...searchParams.keys()].every((name) => known.has(name)) &&
    cursorParam === 'lastEventId' &&
    types.join() === 'message'
  if (!isAsOurs || 'fault' in parsed) return undefined
  return {
    route: origin + pathname.slice(0, at),
    topics: new Set(parsed.topics),
    isFromNow: !searchParams.has('last') && !searchParams.has('since'),
  }
}
