/** The one hub of this process, on the log that EVENTS_URL names. */
import { oncePerProcess } from './once-per-process'
import { config } from './config'
import type { EventLog } from './log/event-log'
import { createHub, type Hub } from './hub/hub'
import { measuredLog } from './log/measured-log'
import { createMemoryLog } from './log/memory/memory-log'
import { openRedisLog } from './log/redis/redis-log'
import { openSqliteLog } from './log/sqlite/sqlite-log'

/**
 * Opens the log when first called.
 * @throws {ConfigError} a variable can't be understood
 * @throws {LogError} `unavailable`: a file can't be opened or written; the message names it. Redis may come later
 */
export function processHub(): Hub {
  return oncePerProcess('hub', () => createHub(measuredLog(openLog())))
}

function openLog(): EventLog {
  const { eventsUrl, maxCount, maxAgeMs } = config()
  const retention = { maxCount, maxAgeMs }
  switch (eventsUrl.engine) {
    case 'sqlite':
      return openSqliteLog({ file: eventsUrl.file, ...retention })
    case 'redis':
      return openRedisLog({ address: eventsUrl.address, ...retention })
    case 'memory':
      return createMemoryLog(retention)
  }
}
