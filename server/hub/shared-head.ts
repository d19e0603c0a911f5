/** The log's head, read once for streams that open at almost the same time: the read costs more than all else that the hub does for one. */
import type { Cursor } from '@/protocol/cursor'

export interface SharedHead {
  /**
   * Where the log ends, or ended a few milliseconds ago.
   * @throws {LogError}
   */
  read: () => Promise<Cursor>
  /** Call this when the log has changed: the next `read` asks the log again. */
  forget: () => void
}

/**
 * A stream may begin this much before its request, in milliseconds: it then also gets what another process appended in between. Of
 * this process's own appends the log tells at once.
 */
const shareMs = 10

export function createSharedHead(readHead: () => Promise<Cursor>): SharedHead {
  let shared: Promise<Cursor> | undefined
  let readAt = 0

  function forget(): void {
    shared = undefined
  }

  return {
    read() {
      const now = performance.now()
      if (shared && now - readAt < shareMs) return shared
      const reading = readHead()
      shared = reading
      readAt = now
      reading.catch(() => shared === reading && forget())
      return reading
    },
    forget,
  }
}
