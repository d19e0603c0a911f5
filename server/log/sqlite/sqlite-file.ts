/** Notices that a database was removed or replaced while it is open: SQLite would go on with the file that nobody finds any more. */
import { statSync } from 'node:fs'
import { LogError } from '@/server/log/event-log'

/**
 * The check, for a database that is open and has been written to.
 * @throws {LogError} `unavailable`, until the file that was opened is back
 */
export function watchFile(file: string): () => void {
  // What was appended last is in the second one.
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
