/** What the checker writes down during a run, and what the judge reads at the end. Times are milliseconds since the Unix epoch. */

export interface Run {
  limits: { maxCount: number; maxAgeMs: number }
  /** The lives of the log, oldest first: a new one begins whenever the log loses its end. */
  lives: readonly Life[]
  /** While the servers' clocks were far from ours, and just after that, events may have aged early. */
  clockJumps: readonly { from: number; to: number }[]
  events: readonly PublishedEvent[]
  sightings: readonly Sighting[]
  readers: readonly ReaderRecord[]
  /** Published last, one for each topic: a reader that has it has caught up. */
  markers: readonly PublishedEvent[]
}

export interface Life {
  /** When the log began to be disturbed. Nothing is published from a little before that until `resumedAt`. */
  startedAt: number
  resumedAt: number
  /** The newest offset that the life before left behind: what lay beyond it is gone. */
  base: number
}

export interface PublishedEvent {
  /** Names the event: no other has the same. Part of its data. */
  key: string
  topic: string
  attempts: Attempt[]
}

/** One request that asked to publish an event. */
export interface Attempt {
  startedAt: number
  endedAt: number
  /** Where the answer was 201. Without one the event may or may not be in the log. */
  id?: string
}

/** An id and the event that came with it. */
export interface Sighting {
  id: string
  offset: number
  /** Undefined when the data is not that of any event published. */
  event: PublishedEvent | undefined
}

export interface ReaderRecord {
  name: string
  topics: readonly string[]
  /** What the first request asked for; a cursor counts as `now`. */
  start: 'now' | 'last' | 'all'
  /** In the order in which they arrived, over all connections. */
  items: Item[]
  /** Whether it read until the end of the run, and so must have the markers. */
  isLive: boolean
  /** For one that read everything: what the log itself had just after that. */
  kept?: Kept
}

/** The offsets of the events in the log, by topic. */
export interface Kept {
  /** The reader read up to here. */
  upTo: number
  offsets: ReadonlyMap<string, readonly number[]>
}

export type Item =
  | { kind: 'connected'; at: number; cursor: string }
  | { kind: 'event'; at: number; topic: string; sighting: Sighting }
  | ResyncItem

export interface ResyncItem {
  kind: 'resync'
  at: number
  reason: string
  from: string
  /** Undefined from servers that do not name topics: then it speaks of all. */
  topics: readonly string[] | undefined
}

export function offsetOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('.') + 1))
}
