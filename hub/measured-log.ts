/** A log that counts what it does and how often it fails. */
import { metrics } from '@/observe/metrics'
import { LogError, type EventLog } from './event-log'

export function measuredLog(log: EventLog): EventLog {
  async function counted<T>(call: Promise<T>): Promise<T> {
    try {
      return await call
    } catch (error) {
      if (error instanceof LogError) metrics.logErrors.inc({ code: error.code })
      throw error
    }
  }

  return {
    async append(topic, events, options) {
      const endTimer = metrics.publishSeconds.startTimer()
      const appended = await counted(log.append(topic, events, options))
      endTimer()
      if (!appended.replayed) metrics.eventsAppended.inc(events.length)
      return appended
    },
    read: (request) => counted(log.read(request)),
    locate: (topics, start) => counted(log.locate(topics, start)),
    head: () => counted(log.head()),
    watch: (onChange, options) => log.watch(onChange, options),
    close: () => log.close(),
  }
}
