/** What `sse.preload` reads on the server for a page, and `useTopics` begins with in the browser, as one text. */
import type { Gap } from './gap'
import { parseJsonObject } from './json'

declare const isPreloaded: unique symbol

/**
 * The kept events of some topics, and the place from which their stream continues: what `sse.preload` returns, and `useTopics` takes as
 * `initial`. It is a text, so a server component can pass it to a client component. Its format is not public.
 */
export type Preloaded = string & { readonly [isPreloaded]: true }

export interface PreloadedTopics {
  topics: readonly string[]
  /** The key of each topic's definition, if the app defines its topics. */
  keys?: readonly string[] | undefined
  /** Where the route of topics is mounted, without a `basePath`. */
  path: string
  /** When the events were read: milliseconds since the Unix epoch, by the server's clock. */
  time: number
  answer: PreloadedEvents | PreloadedRefusal
}

export interface PreloadedEvents {
  /** The key of the reader to whom the topics were granted. */
  reader: string
  /** Oldest first. */
  events: readonly PreloadedEvent[]
  /** The cursor from which the stream continues. */
  cursor: string
  /** The events may lack some before the first one. */
  gap?: Gap | undefined
}

export interface PreloadedEvent {
  id: string
  topic: string
  /** The key of the topic's definition. */
  key?: string | undefined
  type: string
  data: string
  /** When it was published: milliseconds since the Unix epoch. */
  time: number
}

/** The reader may not read the topics: what the stream would be answered. */
export interface PreloadedRefusal {
  status: number
  code: string
  detail: string
}

/** To be changed with the format: a page may outlive a deploy. */
const version = 1

/** The data of all events follows the rest, so that JSON and HTML escape it once: as a JSON string it would be escaped twice. */
export function encodePreloaded({ answer, ...rest }: PreloadedTopics): Preloaded {
  let texts = ''
  const indexOf = ({ id, topic, type, time, data }: PreloadedEvent): IndexedEvent => {
    texts += data
    return [id, rest.topics.indexOf(topic), type, time, data.length]
  }
  const head: Head = {
    version,
    ...rest,
    answer: 'events' in answer ? { ...answer, events: answer.events.map(indexOf) } : answer,
  }
  return `${JSON.stringify(head)}\n${texts}` as Preloaded
}

/** Undefined when `text` is not what `encodePreloaded` of this version returns. */
export function parsePreloaded(text: string): PreloadedTopics | undefined {
  const endOfHead = text.indexOf('\n')
  const head = parseJsonObject(text.slice(0, endOfHead)) as Head | undefined
  if (head?.version !== version) return undefined
  const { topics, keys, path, time, answer } = head
  if (!('events' in answer)) return { topics, keys, path, time, answer }
  let at = endOfHead + 1
  const events = answer.events.map(([id, topic, type, publishedAt, length]) => {
    const data = text.slice(at, (at += length))
    return { id, topic: topics[topic] ?? '', key: keys?.[topic], type, data, time: publishedAt }
  })
  return { topics, keys, path, time, answer: { ...answer, events } }
}

/** An event with the place of its topic among the topics, and the length of its data in place of it. */
type IndexedEvent = [id: string, topic: number, type: string, time: number, length: number]

interface Head extends Omit<PreloadedTopics, 'answer'> {
  version: number
  answer: PreloadedRefusal | (Omit<PreloadedEvents, 'events'> & { events: IndexedEvent[] })
}
