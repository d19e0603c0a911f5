/**
 * The log in a SQLite file: the embedded default. Several processes may share the file.
 */
import { LogError, type EventLog, type Retention } from '@/server/log/event-log'
import { createAppendQueue } from './append-queue'
import { createRecentEvents } from './recent-events'
import { only } from './sqlite-connection'
import { watchFile } from './sqlite-file'
import { createSqliteReader } from './sqlite-reader'
import { createDiskReserve } from './sqlite-reserve'
import { openSqliteFile } from './sqlite-schema'
import { createSqliteWriter } from './sqlite-writer'
import { createWatchers } from '@/server/log/watchers'

/** How often to look for appends of other processes. */
const pollMs = 250

/**
 * Creates the file and its folder if they don't exist.
 * @throws {LogError} `unavailable`, with the file's name, when it can't be opened and written
 */
export function openSqliteLog({ file, ...retention }: Retention & { file: string }): EventLog {
  const { reading, writing } = openSqliteFile(file)
  const checkFile = watchFile(file)
  const recent = createRecentEvents()
  const reader = createSqliteReader(reading, retention, recent)
  const writer = createSqliteWriter(writing, retention, recent)
  const reserve = createDiskReserve(file)
  reserve.restore()
  const queue = createAppendQueue(writer, {
    checkFile,
    makeRoom: () => writer.makeRoom(reserve),
    onCommit: notify,
  })
  const watchers = createWatchers(startPolling)
  let notifiedOf = 0
  let closing: Promise<void> | undefined

  /** Changes whenever another connection, of this process or another, has written. */
  function dataVersion(): number {
    try {
      return only(reading.rows<[number]>('PRAGMA data_version'))[0]
    } catch {
      // Ignored here: readers get the error from their own reads.
      return notifiedOf
    }
  }

  function notify(): void {
    // Set before notifying, or the next poll would take our own appends for another process's.
    notifiedOf = dataVersion()
    watchers.notify()
  }

  function startPolling(): () => void {
    notifiedOf = dataVersion()
    const timer = setInterval(() => {
      if (dataVersion() !== notifiedOf) notify()
    }, pollMs)
    return () => clearInterval(timer)
  }

  function assertOpen(): void {
    if (closing) throw new LogError('closed', 'The event log is closed.')
  }

  function answer<T>(read: () => T): T {
    assertOpen()
    try {
      checkFile()
      return read()
    } catch (cause) {
      if (cause instanceof LogError) throw cause
      throw new LogError('unavailable', 'The event log could not be read.', { cause })
    }
  }

  async function close(): Promise<void> {
    watchers.end()
    await queue.idle()
    writing.close()
    reading.close()
  }

  return {
    async append(topic, events, { idempotency, run } = {}) {
      assertOpen()
      return await queue.push({ topic, events, idempotency, run })
    },
    read: async (request) => answer(() => reader.read(request)),
    locate: async (topics, start) => answer(() => reader.locate(topics, start)),
    findRun: async (topic, id) => answer(() => reader.findRun(topic, id)),
    livingRuns: async () => answer(() => reader.livingRuns()),
    head: async () => answer(() => reader.head()),
    watch(onChange, { signal }) {
      assertOpen()
      watchers.add(onChange, signal)
    },
    close: () => (closing ??= close()),
  }
}
