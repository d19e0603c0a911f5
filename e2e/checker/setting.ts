/** What all parts of a run agree on: topics, who may see them, the limits of the log. */
import { accessEnv, signToken } from '../../test/requests/publisher'

export type Engine = 'sqlite' | 'redis'

/** Few readers, big events: a reader that falls behind here has more to read than sockets hold. */
export const bulkyTopics = ['open.bulky-1', 'open.bulky-2']
export const openTopics = [...numbered('open.', 22), ...bulkyTopics]
export const secretTopics = numbered('secret.', 8)
export const allTopics = [...openTopics, ...secretTopics]

export const limits = { maxCount: 500, maxAgeMs: 60_000 }

export const serverEnv = {
  ...accessEnv,
  PUBLIC_TOPICS: 'open.*',
  LIMIT_PUBLISH: '0',
  EVENTS_MAX_COUNT: String(limits.maxCount),
  EVENTS_MAX_AGE: `${limits.maxAgeMs}ms`,
  HEARTBEAT: '2s',
  STALL: '8s',
  RETRY: '200ms',
  DRAIN: '1s',
  STREAM_MAX_AGE: '90s',
}

export function readerToken(topics: readonly string[]): string {
  return signToken({ events: { subscribe: topics } })
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
}
