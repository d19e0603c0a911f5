/**
 * Reads streams of one server and one reader over one connection. It goes on after the earliest of their cursors, and each stream gets
 * what it does not have yet.
 *
 * Whatever interrupts the connection ends it for all: each stream goes on by itself, after its own cursor, and hears from the server what
 * concerns it. So there are no losses, refusals or readers of a merged connection.
 */
import type { Connect, Connection, ConnectionEvent, Tell } from '@/client/connection/connection'
import type { RawEvent } from '@/client/stream-state'
import { parseCursor } from '@/protocol/cursor'
import { parseJsonObject } from '@/protocol/json'
import { maxTopics } from '@/protocol/topics/topic'

/** A stream that has caught up. */
export interface CaughtUpStream {
  readonly topics: ReadonlySet<string>
  /** It has all events of its topics up to there. */
  cursor: string
  tell: Tell
  /** Closes the connection that it has for itself, if any. */
  closeOwn: () => void
}

export interface MergedStreamsOptions {
  /** Connects to the topics in `url`. */
  connect: (url: () => string) => Connect
  /** The URL without topics and query. */
  route: string
  reader: string
  /** These streams were merged, or go on by themselves: they need not wait any longer. */
  onSettled: (streams: Iterable<CaughtUpStream>) => void
}

export interface MergedStreams {
  /** Whether one connection can have these topics, too. */
  hasRoomFor: (topics: Iterable<string>) => boolean
  add: (stream: CaughtUpStream) => void
  delete: (stream: CaughtUpStream) => void
  /** Undefined while the stream has a connection for itself. */
  connectionOf: (stream: CaughtUpStream) => Connection | undefined
}

/** Streams that catch up within this time are merged together. */
const mergeMs = 250
/** A tab that loads again comes back within this time. After it, topics that nobody reads any more are no longer asked for. */
const unreadMs = 10_000

const goOn: ConnectionEvent = [
  'moved',
  { kind: 'asked', message: 'The stream goes on by itself.' },
  0,
]

interface Merged {
  streams: Set<CaughtUpStream>
  topics: ReadonlySet<string>
  /** Where the connection began, and where it is. */
  from: string
  cursor: string
  /** Streams that were further on when it began: the server knows nothing of their places. */
  ahead: Set<CaughtUpStream>
  leaving: AbortController
  connection: Connection | undefined
}

export function createMergedStreams(options: MergedStreamsOptions): MergedStreams {
  const { route, reader, onSettled } = options
  const all = new Set<CaughtUpStream>()
  let merged: Merged | undefined
  let url = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  /** The server has refused the topics together, although it grants each of them. */
  let isRefused = false
  const connect = options.connect(() => url)

  function merge(): void {
    timer = undefined
    const topics = topicsOf(all)
    const isSame = merged && isEqual(merged.streams, all) && isEqual(merged.topics, topics)
    const isWorthIt = !isRefused && (all.size > 1 || merged !== undefined)
    if (isWorthIt && !isSame) void open(new Set(all), topics)
    onSettled(all)
  }

  async function open(streams: Set<CaughtUpStream>, topics: ReadonlySet<string>): Promise<void> {
    merged?.leaving.abort()
    const [first] = [...streams].toSorted((a, b) => offsetOf(a.cursor) - offsetOf(b.cursor))
    const from = first?.cursor ?? ''
    const ahead = new Set([...streams].filter(({ cursor }) => cursor !== from))
    const leaving = new AbortController()
    const { signal } = leaving
    const own: Merged = {
      streams,
      topics,
      from,
      cursor: from,
      ahead,
      leaving,
      connection: undefined,
    }
    merged = own
    url = `${route}/${[...topics].join(',')}?envelope=1`
    for (const stream of streams) stream.closeOwn()
    const tell: Tell = (...event) => {
      if (!signal.aborted) hear(own, event)
    }
    own.connection = await connect({ cursor: from, reader, place: undefined, signal, tell })
  }

  function hear(own: Merged, event: ConnectionEvent): void {
    switch (event[0]) {
      case 'event':
        if (isSound(own, event[1].id)) deliver(own, event[1])
        else end(own, goOn)
        return
      case 'facts': {
        const [, { lastEventId, ...facts }, isUrgent = false] = event
        own.cursor = lastEventId ?? own.cursor
        for (const { tell } of own.streams) tell('facts', facts, isUrgent)
        return
      }
      // Not with the facts: those before a gap tell of a place beyond it.
      case 'current':
        if (!isSound(own, own.cursor)) {
          end(own, goOn)
          return
        }
        for (const stream of own.streams) {
          if (moveTo(own.cursor, stream)) stream.tell('facts', { lastEventId: own.cursor })
        }
        return
      case 'lost':
      case 'moved':
        end(own, event)
        return
      case 'refused':
        isRefused = event[1].kind !== 'reader'
        end(own, goOn)
        return
      case 'gap':
      case 'ended':
        end(own, goOn)
        return
      // The streams are open for their tabs all the while.
      case 'opened':
      case 'probing':
      // Connections of the worker report none of these.
      case 'followed':
      case 'trouble':
    }
  }

  function deliver({ streams }: Merged, event: RawEvent): void {
    const { topic } = parseJsonObject(event.data) ?? {}
    for (const stream of streams) {
      const isItsOwn = typeof topic === 'string' && stream.topics.has(topic)
      if (isItsOwn && moveTo(event.id, stream)) stream.tell('event', event)
    }
  }

  function end(own: Merged, why: ConnectionEvent): void {
    merged = undefined
    own.leaving.abort()
    for (const { tell } of own.streams) tell(...why)
  }

  return {
    hasRoomFor: (topics) => new Set([...topicsOf(all), ...topics]).size <= maxTopics,
    add(stream) {
      all.add(stream)
      clearTimeout(timer)
      timer = setTimeout(merge, mergeMs)
    },
    delete(stream) {
      all.delete(stream)
      if (all.size === 0) {
        clearTimeout(timer)
        timer = undefined
      }
      if (!merged?.streams.delete(stream)) return
      merged.ahead.delete(stream)
      if (merged.streams.size === 0) {
        merged.leaving.abort()
        merged = undefined
      } else timer ??= setTimeout(merge, unreadMs)
    },
    connectionOf: (stream) => (merged?.streams.has(stream) ? merged.connection : undefined),
  }
}

function topicsOf(streams: Iterable<CaughtUpStream>): ReadonlySet<string> {
  const topics = new Set<string>()
  for (const stream of streams) for (const topic of stream.topics) topics.add(topic)
  return topics
}

/**
 * Whether the log still has the places of the streams that are ahead, as far as this place of the connection tells. The log gives offsets
 * that it has lost again, in another term. So up to the place of a stream, all must be of its term, or of the one that the connection began
 * in; and what comes next must be of its own.
 */
function isSound({ from, ahead }: Merged, id: string): boolean {
  const here = parseCursor(id)
  if (!here) return true
  const first = parseCursor(from)
  for (const stream of ahead) {
    const there = parseCursor(stream.cursor)
    const isOfItsTerm = here.epoch === there?.epoch
    if (offsetOf(id) < offsetOf(stream.cursor)) {
      if (!isOfItsTerm && here.epoch !== first?.epoch) return false
    } else {
      if (!isOfItsTerm) return false
      ahead.delete(stream)
    }
  }
  return true
}

/** Returns false when the stream is there already, or further on. */
function moveTo(cursor: string, stream: CaughtUpStream): boolean {
  if (offsetOf(cursor) <= offsetOf(stream.cursor)) return false
  stream.cursor = cursor
  return true
}

function offsetOf(cursor: string): number {
  return parseCursor(cursor)?.offset ?? -1
}

function isEqual<Item>(one: ReadonlySet<Item>, other: ReadonlySet<Item>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item))
}
