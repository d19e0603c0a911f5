/**
 * The hub: publishing appends to the log, a flush wakes the streams that have new events, and each stream reads at its own pace.
 * Knows nothing of HTTP, nor which engine the log uses.
 */
import { encodeControl } from '@/protocol/control-events'
import type { Cursor } from '@/protocol/cursor'
import type { Feed } from '@/server/stream/feed'
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import { createSelection, type Selection } from './selection'
import type { EventLog } from '@/server/log/event-log'
import { disconnectTopic } from '@/server/log/retention'
import { namesOf } from './rights/disconnects'
import { createFeedIndex } from './feed-index'
import { locateStart, type Subscription } from './locate-start'
import { createPacedFlush, type Slices } from '@/server/hub/turns/paced-flush'
import { createPageReader } from './page-reader'
import type { FeedSource, Mark, PlacedFeed } from './placed-feed'
import { disconnectsAfter, endAllRights, endRights, judgeRight } from './rights/rights'
import { runStateOf } from './run-state'
import { createTail, type Tail } from './tail'
import { createSharedHead, type SharedHead } from './shared-head'
import { createTopicFeed } from './topic-feed'
import { createTurnQueue } from '@/server/hub/turns/turn-queue'
import { untilAnswered } from '@/server/hub/turns/until-answered'
import { createWoken } from '@/server/hub/turns/woken'

export interface Hub {
  readonly log: EventLog
  /**
   * Creates a feed of the topics. The feed acquires nothing before its first `whenReady`, and `close` releases everything.
   * @throws {LogError} `unavailable` or `closed`
   */
  subscribe(subscription: Subscription): Promise<Feed>
  /**
   * A place in the log that a right is granted after: take it before asking who may read. It reads the log only when there is no feed.
   * @throws {LogError} `unavailable` or `closed`
   */
  mark(): Promise<Mark>
  /**
   * Resolves when the streams of this process have been woken for the event with this offset: at once when there are none, and after a
   * second in any case.
   */
  untilWoken(offset: number): Promise<void>
  /** How many offsets the slowest feed is behind the newest event in the tail. 0 when there is no feed. */
  slowestLag(): number
  /** Stops flushing and closes the log. A feed then fails with its next read of the log. */
  close(): Promise<void>
}

/** Exists while there are streams. */
interface Session {
  ended: AbortController
  tail: Tail | undefined
  /** Where streams that start now begin. */
  head: SharedHead
  started: Promise<void>
  /** Feeds that have lost their right, and are still to be woken. */
  left: PlacedFeed[]
}

const advanceLimits = { limit: 1_000, maxBytes: 4 * 1024 * 1024 }
/** `tailBytes`: how many bytes of the newest events stay in memory while there are streams. Default 16 MiB. */
export function createHub(log: EventLog, { tailBytes = 16 * 1024 * 1024 } = {}): Hub {
  let readPage = createPageReader(log, () => 0)
  const paced = createPacedFlush(flush)
  const turns = createTurnQueue()
  const woken = createWoken()
  let session: Session | undefined
  const feeds = createFeedIndex()

  function startSession(): Session {
    const ended = new AbortController()
    const head = createSharedHead(() => log.head())
    const own: Session = { ended, head, tail: undefined, started: Promise.resolve(), left: [] }
    own.started = startTail(own)
    return own
  }

  async function startTail(own: Session): Promise<void> {
    const { signal } = own.ended
    // Watch first, then read the head: otherwise an append between the two would go unnoticed.
    const onChange = (): void => {
      own.head.forget()
      paced.request()
    }
    log.watch(onChange, { signal })
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

  /** Reads before the feeds that are behind. */
  function readNow(signal: AbortSignal): EventLog['read'] {
    return (request) =>
      untilAnswered(() => turns.run(() => log.read(request), { urgent: true }), signal)
  }

  async function flush(inSlices: Slices): Promise<void> {
    const own = session
    if (!own?.tail) return
    const endTimer = metrics.flushSeconds.startTimer()
    try {
      const { tail, changed, since } = await advanceTail(own, own.tail)
      const { head } = tail
      await inSlices(changed === 'all' ? feeds.all() : feeds.ofTopics(changed), wake)
      await inSlices(own.left.splice(0), wake)
      tail.flushedTo = head
      woken.through(head.offset)
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
   * events that the tail holds or has not read yet, resolves with a new tail and `'all'`. When there are more than fit into half of the
   * tail, it requests another flush for the rest.
   */
  async function advanceTail(
    own: Session,
    tail: Tail,
  ): Promise<{ tail: Tail; changed: Set<string> | 'all'; since?: number | undefined }> {
    const { signal } = own.ended
    const read = readNow(signal)
    const changed = new Set<string>()
    let since: number | undefined
    let addedBytes = 0
    for (;;) {
      const after = tail.head
      const { events, through, lost, removed } = await read({ after, ...advanceLimits })
      if (lost || Math.max(...removed) > after.offset) {
        const head = await untilAnswered(() => log.head(), signal)
        // Before any feed goes on: the new tail begins after these.
        const missed = await disconnectsAfter(after, read)
        own.left.push(...(missed ? endRights(feeds, missed) : endAllRights(feeds)))
        own.tail = startOver(head)
        return { tail: own.tail, changed: 'all' }
      }
      since ??= events.find(({ topic }) => topic !== disconnectTopic)?.time
      for (const { topic } of events) changed.add(topic)
      own.left.push(...endRights(feeds, events))
      addedBytes += tail.add(events, through)
      if (events.at(-1)?.offset !== through.offset) return { tail, changed, since }
      // While many are appended, there would be no end to it, and the tail would drop events before a stream could take them.
      if (addedBytes > tailBytes / 2) {
        paced.request()
        return { tail, changed, since }
      }
    }
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
      session ??= startSession()
      const own = session
      await own.started
      if (!feed.right) return
      const { cursor, tailStart } = feed.right.since
      const { tail } = own
      const isInTail = tail && tail.start === tailStart && cursor.offset >= tail.from
      judgeRight(
        feed,
        isInTail
          ? tail.eventsAfter(disconnectTopic, cursor.offset)
          : await disconnectsAfter(cursor, readNow(own.ended.signal)),
      )
    },
    leave(feed) {
      feeds.delete(feed)
      if (feeds.size > 0) return
      session?.ended.abort()
      session = undefined
      woken.through(Infinity)
    },
    readPage: (selection: Selection, after: Cursor, signal: AbortSignal) =>
      untilAnswered(() => turns.run(() => readPage(selection, after)), signal),
    async findEnd(topic, run, signal) {
      const found = await untilAnswered(() => log.findRun(topic, run), signal)
      return found ? found.last : 0
    },
  }

  return {
    log,
    async mark() {
      const tail = session?.tail
      if (tail) return { cursor: tail.head, tailStart: tail.start }
      return { cursor: await log.head(), tailStart: undefined }
    },
    async subscribe({ topics, envelope, keys, start, run, right }) {
      const tail = session?.tail
      const known = tail && { tail, head: tail.head.offset }
      const head = session?.head.read ?? (() => log.head())
      const place = await locateStart(log, topics, { start, run }, head)
      const span =
        run?.isFinite && run.found ? { run: run.found.id, last: run.found.last } : undefined
      const selection = createSelection(topics, envelope, keys, span)
      const own = right && { names: namesOf(right.grantee), since: right.since }
      const firstFrame = run && Buffer.from(encodeControl('run.state', runStateOf(run.found)))
      const isInPast = start !== undefined || run !== undefined
      return createTopicFeed(source, selection, { ...place, isInPast, known, firstFrame }, own)
    },
    async untilWoken(offset) {
      const tail = session?.tail
      if (tail && tail.flushedTo.offset < offset) await woken.until(offset)
    },
    slowestLag() {
      const head = session?.tail?.head.offset ?? 0
      let lag = 0
      for (const feed of feeds.all()) lag = Math.max(lag, head - feed.offset())
      return lag
    },
    async close() {
      paced.stop()
      session?.ended.abort()
      woken.through(Infinity)
      await log.close()
    },
  }
}
