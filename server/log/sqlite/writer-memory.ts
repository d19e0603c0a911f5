/**
 * The rows of topics and of living runs that the writer has met, so that it need not read them for each append. They hold as long as no
 * other connection has written to the file: the writer asks SQLite at the beginning of each transaction, when it has the write lock already.
 */
import type { StoredRun } from '@/server/log/run-change'
import type { Connection } from './sqlite-connection'

export interface WriterMemory {
  /** Call it first in each transaction, with the connection's `data_version`, which changes when another connection has written. */
  begin(dataVersion: number): void
  topic(name: string): KnownTopic | undefined
  addTopic(name: string): KnownTopic
  /** The living runs by their topics. Code that changes the row of one keeps it up to date here, or removes it. */
  readonly runs: Map<string, KnownRun>
  /** Call it when the trimmer has changed something, or a transaction was undone. */
  forget(): void
}

/** Code that changes the row changes this, too. */
export interface KnownTopic {
  id: number
  /** How many events it has. */
  count: number
  /** The age limit of a topic that has its own. */
  ownAgeMs: number | null
  /** When the trimmer looks at the topic by itself; null when its events age with those of others. */
  due: number | null
}

export interface KnownRun {
  /** The key of its row. */
  number: number
  run: StoredRun
}

const maxTopics = 20_000

export function createWriterMemory({ rows, run }: Connection): WriterMemory {
  const topics = new Map<string, KnownTopic>()
  const runs = new Map<string, KnownRun>()
  let heldFor: number | undefined

  function forget(): void {
    topics.clear()
    runs.clear()
  }

  function remember(name: string, topic: KnownTopic): KnownTopic {
    if (topics.size >= maxTopics) topics.clear()
    topics.set(name, topic)
    return topic
  }

  return {
    runs,
    forget,
    begin(dataVersion) {
      if (dataVersion !== heldFor || runs.size > maxTopics) forget()
      heldFor = dataVersion
    },
    topic(name) {
      const known = topics.get(name)
      if (known) return known
      const query = 'SELECT id, count, max_age, due FROM topics WHERE name = ?'
      const [row] = rows<[number, number, number | null, number | null]>(query, name)
      return row && remember(name, { id: row[0], count: row[1], ownAgeMs: row[2], due: row[3] })
    },
    addTopic(name) {
      // A forgotten topic of this name may have lost events. Only the floor still records this.
      const query = 'INSERT INTO topics (name, count, trimmed) SELECT ?, 0, floor FROM log'
      return remember(name, { id: run(query, name), count: 0, ownAgeMs: null, due: null })
    },
  }
}
