/** Notices that a database file was removed or replaced while it is open. SQLite would keep using the deleted file without an error. */
import { statSync } from 'node:fs'
import { LogError } from '@/server/log/event-log'

/**
 * Returns a check that the file is still the same. The database must be open and have been written to.
 * @throws {LogError} `unavailable`, until the file that was opened is back
 */
export function watchFile(file: string): () => void {
  // The write-ahead log has the newest events.
  const paths = [file, `${file}-wal`]
  const opened = paths.map(identityOf)
  return () => {
    if (paths.every((path, index) => identityOf(path) === opened[index])) return
    throw new LogError(
      'unavailable',
      `${file} was removed or replaced while it was open. Put it back, or start this process again.`,
    )
  }
}

/** Undefined when there is no such file. */
function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats && `${stats.dev} ${stats.ino}`
}
