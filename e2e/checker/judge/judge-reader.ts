/**
 * Holds one reader's record against the log as it must have been: every event of its topics after its start, once, in order, or a
 * `resync` that speaks of its topic.
 */
import { offsetOf, type Item, type ReaderRecord, type ResyncItem, type Run } from '../record'
import type { History, Placed } from './history'
import type { Violation, ViolationKind } from './violation'

/** Where a reader stands in one topic. */
interface TopicState {
  /** The last event of the topic, or the place where the reader started. */
  place: { offset: number; life: number }
  /** Until the first event of the topic: whether the start lets the reader expect this one before it. */
  isOwed: ((placed: Placed) => boolean) | undefined
  /** The newest `resync` since then that speaks of the topic. */
  toldAt: number | undefined
}

/** How many lines of the record to show before and after a violation. */
const linesAround = 8
const shownViolations = 20
/** A reader that began while the log was put right may still hear of the loss. */
const graceMs = 10_000

export function judgeReader(record: ReaderRecord, history: History, run: Run): Violation[] {
  const violations: Violation[] = []
  const topics = new Map<string, TopicState>()
  const seen = new Set<Placed>()
  const told = new Set<Placed>()
  /** Offsets only grow until the reader is told that the log is another one. */
  let newest = -1
  let seenSinceReset = new Set<Placed>()
  let resetAt: number | undefined
  /** The newest loss that this reader has heard of. */
  let toldOf = 0
  /** The first life without some event that the reader has and was not told about. */
  let untoldFrom = Infinity
  let current = 0
  const opening = record.items.find(({ kind }) => kind === 'connected')
  const markersAt = run.markers[0]?.attempts[0]?.startedAt ?? Infinity
  // One that starts now, while the markers are published, starts after some of them.
  const isLate = record.start === 'now' && opening !== undefined && opening.at >= markersAt
  const startOffset = isLate && opening.kind === 'connected' ? offsetOf(opening.cursor) : -1

  function report(kind: ViolationKind, at: number, message: string): void {
    violations.push({
      kind,
      at,
      message: `${record.name}: ${message}`,
      context: violations.length < shownViolations ? linesOf(record.items, current) : [],
    })
  }

  function start(item: Item & { kind: 'connected' }): void {
    if (resetAt !== undefined) return
    resetAt = item.at
    const life = history.lifeAt(item.at)
    const isKept = (placed: Placed): boolean => !history.mayBeTrimmed(placed, item.at)
    const offset = offsetOf(item.cursor)
    for (const topic of record.topics) {
      topics.set(topic, {
        place: { offset: record.start === 'all' ? -1 : offset, life },
        // What was no longer kept when the reader came was never promised.
        isOwed: record.start === 'now' ? undefined : isKept,
        toldAt: undefined,
      })
    }
  }

  function reset(item: ResyncItem): void {
    // A slow reader hears of each loss long after it, and of the next one right after that.
    const cause = run.lives.findIndex(({ startedAt, resumedAt }, life) => {
      const since = (life > toldOf ? opening?.at : resetAt) ?? 0
      return life > 0 && startedAt <= item.at && resumedAt >= since - graceMs
    })
    if (cause === -1) report('needless-resync', item.at, `resync ${item.reason} without a loss`)
    toldOf = Math.max(toldOf, cause)
    resetAt = item.at
    newest = -1
    seenSinceReset = new Set()
    untoldFrom = Infinity
    const life = history.lifeAt(item.at)
    // What is kept follows from the beginning.
    for (const topic of record.topics) {
      const toldAt = speaksOf(item, topic) ? item.at : undefined
      topics.set(topic, { place: { offset: -1, life }, isOwed: undefined, toldAt })
    }
  }

  function takeResync(item: ResyncItem): void {
    if (item.reason !== 'trimmed') {
      reset(item)
      return
    }
    for (const [topic, state] of topics) if (speaksOf(item, topic)) state.toldAt = item.at
  }

  /** The events that stand between the reader's place in the topic and `placed`, and were there when it was appended. */
  function lookForLost(state: TopicState, placed: Placed, at: number): void {
    const after = history.offsetIn(placed.born, state.place)
    const lost: Placed[] = []
    const list = history.ofTopic(placed.event.topic)
    for (let index = placed.index - 1; index >= 0; index--) {
      const earlier = list[index]
      if (!earlier || earlier.offset <= after) break
      if (earlier.offset === placed.offset) continue
      if (earlier.born > placed.born || earlier.dies <= placed.born) continue
      if (seen.has(earlier) || told.has(earlier)) continue
      if (state.isOwed && !state.isOwed(earlier)) continue
      if (state.toldAt !== undefined && history.mayBeTrimmed(earlier, state.toldAt)) {
        told.add(earlier)
      } else {
        lost.push(earlier)
      }
    }
    const [last] = lost
    const first = lost.at(-1)
    if (!first || !last) return
    const which = lost.length === 1 ? 'it' : `it and ${lost.length - 1} more up to ${last.offset}`
    const kept = record.kept?.offsets.get(placed.event.topic)
    const inLog = kept
      ? `; of these, the log itself had ${lost.filter(({ offset }) => kept.includes(offset)).length}`
      : ''
    report(
      'lost',
      at,
      `${placed.event.topic}: event ${describe(first)} is missing (${which}) before ${describe(placed)}${inLog}`,
    )
  }

  function takeEvent({ at, topic, sighting }: Item & { kind: 'event' }): void {
    const { event, offset, id } = sighting
    if (!record.topics.includes(event?.topic ?? topic)) {
      report('wrong-reader', at, `got ${id} of ${event?.topic ?? topic}, which it may not see`)
      return
    }
    if (!event) {
      report('unknown-event', at, `got ${id}, which is not an event that was published`)
      return
    }
    if (event.topic !== topic) {
      report('wrong-reader', at, `got ${id} of ${event.topic} as if it were of ${topic}`)
    }
    const placed = history.placeOf(sighting)
    if (placed && placed.born >= untoldFrom) {
      report('untold-removal', at, `went on with ${describe(placed)} and had heard of no loss`)
      untoldFrom = Infinity
    }
    if (offset <= newest) {
      const isAgain = placed !== undefined && seenSinceReset.has(placed)
      report(
        isAgain ? 'repeated' : 'out-of-order',
        at,
        `got ${id} (${event.key}) after offset ${newest}`,
      )
    }
    newest = Math.max(newest, offset)
    const state = topics.get(topic)
    if (!placed || !state) return
    lookForLost(state, placed, at)
    untoldFrom = Math.min(untoldFrom, placed.dies)
    seen.add(placed)
    seenSinceReset.add(placed)
    state.place = { offset, life: placed.born }
    state.isOwed = undefined
    state.toldAt = undefined
  }

  for (const [index, item] of record.items.entries()) {
    current = index
    if (item.kind === 'connected') start(item)
    else if (item.kind === 'resync') takeResync(item)
    else takeEvent(item)
  }
  current = record.items.length - 1
  if (record.isLive) {
    for (const marker of run.markers) {
      const placed = history.ofEvent(marker)
      const isMissing =
        record.topics.includes(marker.topic) &&
        !placed.some((one) => seen.has(one) || one.offset <= startOffset)
      if (isMissing) {
        const at = record.items.at(-1)?.at ?? Date.now()
        report('not-caught-up', at, `${marker.topic}: its last event never came`)
      }
    }
  }
  return violations
}

function speaksOf({ topics }: ResyncItem, topic: string): boolean {
  return topics === undefined || topics.includes(topic)
}

function describe({ event, offset }: Placed): string {
  return `${offset} (${event.key})`
}

function linesOf(items: readonly Item[], index: number): string[] {
  const first = Math.max(0, index - linesAround)
  // What the reader was told last matters, however long ago.
  const told = items.slice(0, first).flatMap((item, at) => (item.kind === 'event' ? [] : [at]))
  const around = items.slice(first, index + linesAround).map((_, at) => first + at)
  return [...told.slice(-3), ...around].flatMap((at) => {
    const item = items[at]
    if (!item) return []
    const time = new Date(item.at).toISOString().slice(11, 23)
    return [`${at === index ? '>' : ' '} ${time} ${describeItem(item)}`]
  })
}

function describeItem(item: Item): string {
  switch (item.kind) {
    case 'connected':
      return `connected at ${item.cursor}`
    case 'resync':
      return `resync ${item.reason} from ${item.from}, topics ${item.topics?.join(',') ?? 'not named'}`
    case 'event':
      return `${item.topic} ${item.sighting.id} ${item.sighting.event?.key ?? 'unknown'}`
  }
}
