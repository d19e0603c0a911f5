/** What a stream asks the hub for, and where it starts. */
import { formatCursor, type PresentedCursor } from '@/protocol/cursor'
import type { EventLog, Start } from '@/server/log/event-log'
import type { StoredRun } from '@/server/log/run-change'
import type { Grantee } from './rights/disconnects'
import type { FeedStart, Mark } from './placed-feed'

export interface Subscription {
  /** 1 to 32 topics. */
  topics: readonly string[]
  /** Wraps every event in an envelope with its topic, type and time. */
  envelope: boolean
  /** The keys that an envelope names, by topic. */
  keys?: ReadonlyMap<string, string> | undefined
  /** Default: now, or the beginning of the run. */
  start?: Start<PresentedCursor> | undefined
  /** The stream says first how this run stands, and begins with it. Needs exactly one topic. */
  run?: RunSubscription | undefined
  /** Who was granted the stream, and the mark from before that. Default: nothing ends the right. */
  right?: { grantee: Grantee; since: Mark } | undefined
}

export interface RunSubscription {
  /** Undefined: there is none. */
  found: StoredRun | undefined
  /** True: the stream ends with the run. */
  isFinite: boolean
}

/**
 * Asks the log where a stream starts; one that starts now asks `head`.
 * @throws {LogError} `unavailable` or `closed`
 */
export async function locateStart(
  log: EventLog,
  topics: readonly string[],
  { start, run }: Pick<Subscription, 'start' | 'run'>,
  head: EventLog['head'],
): Promise<Omit<FeedStart, 'known'>> {
  if (!start && run?.found) {
    // The epoch of the present term: its cursors hold at all offsets before.
    const after = { ...(await log.head()), offset: run.found.first - 1 }
    const located = await log.locate(topics, { cursor: after })
    return { ...located, promised: formatCursor(after) }
  }
  if (!start) return { after: await head(), removed: [] }
  if ('cursor' in start) {
    return { ...(await log.locate(topics, start)), presented: start.cursor.text }
  }
  return await log.locate(topics, start)
}
