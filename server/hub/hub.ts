/**
 * The hub: publishing appends to the log, a flush wakes the streams that have new events, and each stream reads at its own pace.
 * Knows nothing of HTTP, nor which engine the log uses.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeControl } from '@/protocol/control-events'
import { formatCursor, type Cursor, type PresentedCursor } from '@/protocol/cursor'
import type { RunEnd } from '@/protocol/run'
import type { Feed } from '@/server/stream/feed'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import { isLiving, type StoredRun } from '@/server/log/run-change'
import { createSelection, type Selection } from './selection'
import { LogError, type EventLog, type Start } from '@/server/log/event-log'
import { createPacedFlush, type Slices } from './paced-flush'
import { createPageReader } from './page-reader'
import { createTail, type Tail } from './tail'
import { createTopicFeed, type FeedSource, type FeedStart, type PlacedFeed } from './topic-feed'
import { createTurnQueue } from './turn-queue'

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
}

export interface RunSubscription {
  /** Undefined: there is none. */
  found: StoredRun | undefined
  /** True: the stream ends with the run. */
  isFinite: boolean
}

export interface Hub {
  readonly log: EventLog
  /**
   * Creates a feed of the topics. The feed acquires nothing before its first `whenReady`, and `close` releases everything.
   * @throws {LogError} `unavailable` or `closed`
   */
  subscribe(subscription: Subscription): Promise<Feed>
  /** How many offsets the slowest feed is behind the newest event in the tail. 0 when there is no feed. */
  slowestLag(): number
  /** Stops flushing and closes the log. A feed then fails with its next read of the log. */
  close(): Promise<void>
}

/** Exists while there are streams. */
interface Session {
  ended: AbortController
  tail: Tail | undefined
  started: Promise<void>
}

const advanceLimits = { limit: 1_000, maxBytes: 4 * 1024 * 1024 }
const retryLogMs = 1_000

/** `tailBytes`: how many bytes of the newest events stay in memory while there are streams. Default 16 MiB. */
export function createHub(log: EventLog, { tailBytes = 16 * 1024 * 1024 } = {}): Hub {
  let readPage = createPageReader(log, () => 0)
  const paced = createPacedFlush(flush)
  const turns = createTurnQueue()
  let session: Session | undefined
  const feeds = new Set<PlacedFeed>()
  const byTopic = new Map<string, Set<PlacedFeed>>()

  /** Calls `ask` once a second until it succeeds. Gives up when the log is closed or the signal aborts. */
  async function untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof LogError) || error.code === 'closed' || signal.aborted) throw error
        await sleep(retryLogMs, undefined, { signal })
      }
    }
  }

  function startSession(): Session {
    const own: Session = {
      ended: new AbortController(),
      tail: undefined,
      started: Promise.resolve(),
    }
    own.started = startTail(own)
    return own
  }

  async function startTail(own: Session): Promise<void> {
    const { signal } = own.ended
    // Watch first, then read the head: otherwise an append between the two would go unnoticed.
    log.watch(paced.request, { signal })
    const head = await untilAnswered(() => log.head(), signal)
    own.tail = startOver(head)
    // Events appended while the head was read had no tail to be flushed to.
    paced.request()
  }

  /** Creates a tail, and drops the cached pages: the log may have lost events that are in them. */
  function startOver(head: Cursor): Tail {
    const tail = createTail(head, tailBytes)
    readPage = createPageReader(log, () => tail.head.offset)
    return tail
  }

  async function flush(inSlices: Slices): Promise<void> {
    const own = session
    if (!own?.tail) return
    const endTimer = metrics.flushSeconds.startTimer()
    try {
      const { tail, changed, since } = await advanceTail(own, own.tail)
      const { head } = tail
      await inSlices(feedsOf(changed), wake)
      tail.flushedTo = head
      if (since !== undefined) {
        // The log's clock may be another computer's, and ahead of ours.
        metrics.deliverySeconds.observe(Math.max(0, Date.now() - since) / 1_000)
      }
      endTimer()
    } catch (error) {
      if (!own.ended.signal.aborted) journal.error({ err: error }, 'A flush failed.')
    }
  }

  /**
   * Reads the new events of the log into the tail. Resolves with their topics and the time of the oldest one. When the log has lost
   * events that the tail holds or has not read yet, resolves with a new tail and `'all'`.
   */
  async function advanceTail(
    own: Session,
    tail: Tail,
  ): Promise<{ tail: Tail; changed: Set<string> | 'all'; since?: number | undefined }> {
    const { signal } = own.ended
    const changed = new Set<string>()
    let since: number | undefined
    for (;;) {
      const after = tail.head
      const { events, through, lost, removed } = await untilAnswered(
        () => turns.run(() => log.read({ after, ...advanceLimits }), { urgent: true }),
        signal,
      )
      if (lost || Math.max(...removed) > after.offset) {
        const head = await untilAnswered(() => log.head(), signal)
        own.tail = startOver(head)
        return { tail: own.tail, changed: 'all' }
      }
      since ??= events[0]?.time
      for (const { topic } of events) changed.add(topic)
      tail.add(events, through)
      if (events.at(-1)?.offset !== through.offset) return { tail, changed, since }
    }
  }

  /** A feed that subscribes to several of these topics appears several times. */
  function* feedsOf(topics: Set<string> | 'all'): Generator<PlacedFeed> {
    if (topics === 'all') yield* feeds
    else for (const topic of topics) yield* byTopic.get(topic) ?? []
  }

  /** Catches errors, so that one failing feed does not stop the flush for the others. */
  function wake(feed: PlacedFeed): void {
    try {
      feed.wake()
    } catch (error) {
      journal.error({ err: error }, 'A reader of a feed failed.')
    }
  }

  const source: FeedSource = {
    get tail() {
      return session?.tail
    },
    async join(feed) {
      feeds.add(feed)
      for (const topic of feed.selection.topics) {
        const group = byTopic.get(topic)
        if (group) group.add(feed)
        else byTopic.set(topic, new Set([feed]))
      }
      session ??= startSession()
      await session.started
    },
    leave(feed) {
      feeds.delete(feed)
      for (const topic of feed.selection.topics) {
        const group = byTopic.get(topic)
        group?.delete(feed)
        if (group?.size === 0) byTopic.delete(topic)
      }
      if (feeds.size > 0) return
      session?.ended.abort()
      session = undefined
    },
    readPage: (selection: Selection, after: Cursor, signal: AbortSignal) =>
      untilAnswered(() => turns.run(() => readPage(selection, after)), signal),
    async findEnd(topic, run, signal) {
      const found = await untilAnswered(() => log.findRun(topic, run), signal)
      return found ? found.last : 0
    },
  }

  async function locate(
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

  return {
    log,
    async subscribe({ topics, envelope, keys, start, run }) {
      const tail = session?.tail
      const known = tail && { tail, head: tail.head.offset }
      const place = await locate(topics, { start, run })
      const span =
        run?.isFinite && run.found ? { run: run.found.id, last: run.found.last } : undefined
      return createTopicFeed(source, createSelection(topics, envelope, keys, span), {
        ...place,
        known,
        firstFrame: run && stateFrame(run.found),
      })
    },
    slowestLag() {
      const head = session?.tail?.head.offset ?? 0
      let lag = 0
      for (const feed of feeds) lag = Math.max(lag, head - feed.offset())
      return lag
    },
    async close() {
      paced.stop()
      session?.ended.abort()
      await log.close()
    },
  }
}

function stateFrame(run: StoredRun | undefined): Uint8Array {
  const status = !run ? 'unknown' : isLiving(run) ? 'running' : (run.state as RunEnd)
  const data = { run: run?.id ?? null, status, reason: run?.reason } as const
  return Buffer.from(encodeControl('run.state', data))
}
