import { formatCursor } from '@/protocol/cursor'
import type { EventLog } from '@/server/log/event-log'
import type { Subscription } from './hub'
import type { FeedStart } from './placed-feed'

/**
 * Asks the log where a stream starts.
 * @throws {LogError} `unavailable` or `closed`
 */
export async function locateStart(
  log: EventLog,
  topics: readonly string[],
  { start, run }: Pick<Subscription, 'start' | 'run'>,
): Promise<Omit<FeedStart, 'known'>> {
  if (!start && run?.found) {
    // The epoch of the present term: its cursors hold at all offsets before.
    const after = { ...(await log.head()), offset: run.found.first - 1 }
    const located = await log.locate(topics, { cursor: after })
    return { ...located, promised: formatCursor(after) }
  }
  if (!start) return { after: await log.head(), removed: [] }
  if ('cursor' in start) {
    return { ...(await log.locate(topics, start)), presented: start.cursor.text }
  }
  return await log.locate(topics, start)
}
