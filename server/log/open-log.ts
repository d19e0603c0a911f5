/** Opens the log that `EVENTS_URL` names. Loads only the code of the engine in use. */
import type { EventLog, Retention } from './event-log'
import { loadIoredis } from './redis/load-ioredis'
import type { RedisAddress } from './redis/redis-connection'

export type LogAddress =
  | { engine: 'sqlite'; file: string }
  | { engine: 'redis'; address: RedisAddress }
  | { engine: 'memory' }

/**
 * @throws {LogError} `unavailable`: a file can't be opened or written; the message names it. Redis need not be up yet
 * @throws {Error} a package that the engine needs is not installed; the message names it
 */
export async function openLog(address: LogAddress, retention: Retention): Promise<EventLog> {
  switch (address.engine) {
    case 'sqlite': {
      const { openSqliteLog } = await import('./sqlite/sqlite-log')
      return openSqliteLog({ file: address.file, ...retention })
    }
    case 'redis': {
      const Redis = await loadIoredis()
      const { openRedisLog } = await import('./redis/redis-log')
      return openRedisLog({ address: address.address, Redis, ...retention })
    }
    case 'memory': {
      const { createMemoryLog } = await import('./memory/memory-log')
      return createMemoryLog(retention)
    }
  }
}
