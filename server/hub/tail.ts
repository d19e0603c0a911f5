/**
 * The newest events, encoded and in memory. A stream that keeps up reads from here instead of from the log.
 * The hub decides when to add events; the tail only knows from where to where it is complete.
 */
import { cursorOf, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import { lowerBound } from '@/protocol/lower-bound'
import { encodeStoredEvent } from './encode-stored-event'
import { framesKeyOf, isBeyond, isEndOf, type Selection } from './selection'

export interface Tail {
  /** The log's head when the tail was created. */
  readonly start: Cursor
  /** The tail is complete after this offset … */
  readonly from: number
  /** … and up to here. */
  readonly head: Cursor
  /** Up to this cursor, every waiting stream has been woken for the events of its topics. */
  flushedTo: Cursor
  /** Whether the tail holds the event that has this cursor. */
  includes(cursor: Cursor): boolean
  /** The events of one topic after offset `after`, which must not be before `from`. */
  eventsAfter(topic: string, after: number): StoredEvent[]
  /**
   * Adds the events that followed `head`, complete up to `through`. Drops the oldest events when the tail is full. Returns how many bytes
   * it holds the new events with.
   */
  add(events: readonly StoredEvent[], through: Cursor): number
  /**
   * Returns the selected events after offset `after`, which must not be before `from`: whole frames, at most `maxBytes` in total but at
   * least one frame. `chunk` is undefined when there are none. Complete up to `through`.
   */
  take(selection: Selection, after: number, maxBytes: number): TakenFrames
}

export interface TakenFrames {
  chunk: Uint8Array | undefined
  /** How many frames the chunk has. */
  count: number
  through: Cursor
  /** True when the selected run ends here, and nothing more may be taken. */
  isLast: boolean
}

/**
 * A frame is kept when it is asked for the second time: readers with the same selection share whole chunks, so of most events it never
 * is. It is text, because only a whole chunk is made into bytes.
 */
interface TailEvent {
  event: StoredEvent
  wasTaken?: boolean
  plain?: string
  enveloped?: string
  /** The key that `enveloped` names. */
  key?: string | undefined
}

/** Events in the order of their offsets. Removing the first one only moves `first`, not the other items. */
interface Queue {
  items: TailEvent[]
  first: number
}

/** Roughly the memory that an event needs besides its data: the fields of two frames, and a few objects. */
const overheadBytes = 400
const maxShared = 32

export function createTail(start: Cursor, maxBytes: number): Tail {
  const all: Queue = { items: [], first: 0 }
  const byTopic = new Map<string, Queue>()
  // Streams with the same selection and position share one chunk. Cleared when events are added: by then, most streams have moved on.
  const shared = new Map<string, Map<number, TakenFrames>>()
  let sharedCount = 0
  let from = start.offset
  let head = start
  let heldBytes = 0

  function push(event: StoredEvent): void {
    const item = { event, wasTaken: false }
    all.items.push(item)
    const queue = byTopic.get(event.topic) ?? { items: [], first: 0 }
    queue.items.push(item)
    byTopic.set(event.topic, queue)
    heldBytes += sizeOf(event)
  }

  function dropOldest(): void {
    const oldest = shift(all)
    if (!oldest) return
    const { topic, offset } = oldest.event
    const queue = byTopic.get(topic)
    if (queue) {
      shift(queue)
      if (queue.items.length === 0) byTopic.delete(topic)
    }
    from = offset
    heldBytes -= sizeOf(oldest.event)
  }

  function frameOf(item: TailEvent, selection: Selection): string {
    const encode = (): string => encodeStoredEvent(item.event, selection)
    if (!item.wasTaken) {
      item.wasTaken = true
      return encode()
    }
    if (!selection.envelope) return (item.plain ??= encode())
    const key = selection.keys.get(item.event.topic)
    // All streams have the same key, unless the app has several server objects.
    if (item.enveloped && item.key === key) return item.enveloped
    item.key = key
    return (item.enveloped = encode())
  }

  function forgetShared(): void {
    shared.clear()
    sharedCount = 0
  }

  function collect(selection: Selection, after: number, maxChunkBytes: number): TakenFrames {
    let frames = ''
    let count = 0
    let bytes = 0
    let through = head
    let last: StoredEvent | undefined
    let isLast = false
    for (const item of merged(selection.topics, byTopic, after)) {
      isLast = isBeyond(selection.span, item.event)
      if (isLast) break
      const frame = frameOf(item, selection)
      bytes += Buffer.byteLength(frame)
      if (last && bytes > maxChunkBytes) {
        through = cursorOf(last)
        break
      }
      frames += frame
      count++
      last = item.event
      isLast = isEndOf(selection.span, last)
      if (isLast) break
    }
    if (isLast && last) through = cursorOf(last)
    const chunk = count > 0 ? Buffer.from(frames) : undefined
    return { chunk, count, through, isLast }
  }

  return {
    start,
    flushedTo: start,
    get from() {
      return from
    },
    get head() {
      return head
    },
    includes({ epoch, offset }) {
      const event = all.items[indexAfter(all, offset - 1)]?.event
      return event?.offset === offset && event.epoch === epoch
    },
    eventsAfter: (topic, after) =>
      Array.from(merged([topic], byTopic, after), ({ event }) => event),
    add(events, through) {
      forgetShared()
      const before = heldBytes
      for (const event of events) push(event)
      const added = heldBytes - before
      head = through
      while (heldBytes > maxBytes) dropOldest()
      return added
    },
    take(selection, after, maxChunkBytes) {
      const key = framesKeyOf(selection)
      const known = shared.get(key)?.get(after)
      if (known) return known

      const taken = collect(selection, after, maxChunkBytes)
      if (sharedCount === maxShared) forgetShared()
      sharedCount++
      const places = shared.get(key)
      if (places) places.set(after, taken)
      else shared.set(key, new Map([[after, taken]]))
      return taken
    },
  }
}

function sizeOf({ data }: StoredEvent): number {
  return overheadBytes + 2 * data.length
}

function shift(queue: Queue): TailEvent | undefined {
  const item = queue.items[queue.first]
  queue.first++
  // Compacts only when half of the array is unused, so each item is moved at most once on average.
  if (queue.first * 2 >= queue.items.length) {
    queue.items.splice(0, queue.first)
    queue.first = 0
  }
  return item
}

/** The events of `topics` after offset `after`, in the order of their offsets. */
function* merged(
  topics: readonly string[],
  byTopic: ReadonlyMap<string, Queue>,
  after: number,
): Generator<TailEvent> {
  const runs = topics.flatMap((topic) => {
    const queue = byTopic.get(topic)
    return queue ? [{ items: queue.items, next: indexAfter(queue, after) }] : []
  })
  const [only] = runs
  if (only && runs.length === 1) {
    for (let index = only.next; index < only.items.length; index++) {
      const item = only.items[index]
      if (item) yield item
    }
    return
  }
  for (;;) {
    let earliest: TailEvent | undefined
    let source: (typeof runs)[number] | undefined
    for (const run of runs) {
      const item = run.items[run.next]
      if (item && (!earliest || item.event.offset < earliest.event.offset)) {
        earliest = item
        source = run
      }
    }
    if (!earliest || !source) return
    source.next++
    yield earliest
  }
}

/** The index of the first event after offset `after`. */
function indexAfter({ items, first }: Queue, after: number): number {
  return lowerBound(
    items.length,
    (index) => (items[index]?.event.offset ?? Infinity) <= after,
    first,
  )
}
