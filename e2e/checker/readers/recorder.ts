/** Writes down what one reader gets, whatever kind of client it is. */
import type { Ledger } from '../ledger'
import type { ReaderRecord } from '../record'

export interface ReaderSetting {
  name: string
  /** The proxy to read through. */
  origin: string
  topics: readonly string[]
  start: ReaderRecord['start']
  /** Sent as a bearer token, where a topic needs one. */
  token: string | undefined
  manner: Manner
}

/** How a reader treats its connection. */
export interface Manner {
  /** Takes no more than this. */
  bytesPerSecond?: number
  /** Now and then takes nothing for some seconds. */
  pauses?: boolean
  /** Now and then leaves, and comes back after a while. */
  leaves?: boolean
}

export interface Reader {
  record: ReaderRecord
  /** No pauses, no slowness and no absences from now on. */
  calmDown: () => void
  stop: () => void
}

export interface Recorder {
  record: ReaderRecord
  /** An event or a control event, with its id. */
  take: (type: string, id: string, data: string) => void
}

/** What all readers together got. */
export interface ReaderCounts {
  deliveries: number
  connections: number
  resyncs: Map<string, number>
}

export function noCounts(): ReaderCounts {
  return { deliveries: 0, connections: 0, resyncs: new Map() }
}

export function createRecorder(
  { name, topics, start }: Pick<ReaderSetting, 'name' | 'topics' | 'start'>,
  ledger: Ledger,
  counts: ReaderCounts = noCounts(),
): Recorder {
  const record: ReaderRecord = { name, topics, start, items: [], isLive: true }
  const isEnveloped = topics.length > 1
  const topicNames = new Map(topics.map((topic) => [topic, topic]))

  function takeEvent(id: string, text: string): void {
    counts.deliveries++
    let topic = topics[0] ?? ''
    let data = text
    if (isEnveloped) {
      const envelope = parse(text)
      data = String(envelope['data'])
      topic = String(envelope['topic'])
    }
    record.items.push({
      kind: 'event',
      at: Date.now(),
      topic: topicNames.get(topic) ?? topic,
      sighting: ledger.sight(id, data),
    })
  }

  return {
    record,
    take(type, id, data) {
      if (type === 'connected') {
        counts.connections++
        record.items.push({ kind: 'connected', at: Date.now(), cursor: id })
      } else if (type === 'resync') {
        const told = parse(data)
        const reason = String(told['reason'])
        counts.resyncs.set(reason, (counts.resyncs.get(reason) ?? 0) + 1)
        const named = told['topics']
        record.items.push({
          kind: 'resync',
          at: Date.now(),
          reason,
          from: String(told['from']),
          topics: Array.isArray(named) ? named.map(String) : undefined,
        })
      } else if (type === 'message' || type === noteType) {
        takeEvent(id, data)
      }
    },
  }
}

/** The one type beside `message` that the publishers use. */
export const noteType = 'note'

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** The path and query of a reader's stream. */
export function pathOf({ topics, start }: ReaderSetting, last: number): string {
  const query = start === 'all' ? '?since=all' : start === 'last' ? `?last=${last}` : ''
  return `/events/${topics.join(',')}${query}`
}
