/** Wraps a log to count its calls and failures. Writes one journal line when the log becomes unavailable, and one when it works again. */
import { journal } from '@/server/observe/journal'
import { metrics } from '@/server/observe/metrics'
import { LogError, type EventLog } from './event-log'
import { disconnectTopic } from './retention'

type Doing = 'read' | 'written'

export function measuredLog(log: EventLog): EventLog {
  // Reads and writes are tracked separately: with a full disk, reads still work.
  const away = new Set<Doing>()

  async function counted<T>(doing: Doing, call: Promise<T>): Promise<T> {
    try {
      const answer = await call
      if (away.delete(doing)) journal.info(`The event log can be ${doing} again.`)
      return answer
    } catch (error) {
      if (error instanceof LogError) {
        metrics.logErrors.inc({ code: error.code })
        if (error.code === 'unavailable') tellAway(doing, error)
      }
      throw error
    }
  }

  function tellAway(doing: Doing, err: LogError): void {
    if (!away.has(doing)) journal.error({ err }, `The event log can't be ${doing}.`)
    away.add(doing)
  }

  return {
    async append(topic, events, options) {
      // Nobody publishes a disconnect.
      if (topic === disconnectTopic) {
        return await counted('written', log.append(topic, events, options))
      }
      const endTimer = metrics.publishSeconds.startTimer()
      const appended = await counted('written', log.append(topic, events, options))
      endTimer()
      if (!appended.replayed) metrics.eventsAppended.inc(appended.ids.length)
      return appended
    },
    read: (request) => counted('read', log.read(request)),
    locate: (topics, start) => counted('read', log.locate(topics, start)),
    findRun: (topic, id) => counted('read', log.findRun(topic, id)),
    livingRuns: () => counted('read', log.livingRuns()),
    head: () => counted('read', log.head()),
    watch: (onChange, options) => log.watch(onChange, options),
    close: () => log.close(),
  }
}
