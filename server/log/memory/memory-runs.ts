/** The runs of a log in memory. */
import {
  decideRun,
  earlyStopMs,
  isLiving,
  keptMs,
  maxEarlyStops,
  type RunChange,
  type RunOutcome,
  type StoredRun,
} from '@/server/log/run-change'
import { LogError, type Retention } from '@/server/log/event-log'
import { limitsOf } from '@/server/log/retention'

interface Runs {
  /** By id, in the order in which they began; with the time of the end. */
  byId: Map<string, { run: StoredRun; endedAt: number }>
  newest: StoredRun
  living: StoredRun | undefined
}

export interface MemoryRuns {
  /** Decides about a change and writes it. `first`, `last` and `time` are those of the events of the append. */
  change(
    topic: string,
    change: RunChange,
    appended: { first: number; last: number; time: number },
  ): RunOutcome | LogError
  find(topic: string, id?: string): StoredRun | undefined
  living(): StoredRun[]
  livingOf(topic: string): StoredRun | undefined
  /** Forgets runs whose state has expired. */
  forgetExpired(): void
}

export function createMemoryRuns(retention: Retention): MemoryRuns {
  const topics = new Map<string, Runs>()
  /** For each topic, the times of stops by id, oldest first. */
  const stops = new Map<string, Map<string, number>>()

  function find(topic: string, id?: string): StoredRun | undefined {
    const runs = topics.get(topic)
    return id === undefined ? runs?.newest : runs?.byId.get(id)?.run
  }

  function waitingStops(topic: string): Map<string, number> {
    const waiting = stops.get(topic) ?? new Map<string, number>()
    for (const [id, time] of waiting) if (time < Date.now() - earlyStopMs) waiting.delete(id)
    return waiting
  }

  const livingOf = (topic: string): StoredRun | undefined => topics.get(topic)?.living

  function remember(topic: string, id: string): void {
    const waiting = waitingStops(topic)
    waiting.delete(id)
    waiting.set(id, Date.now())
    const [oldest] = waiting.keys()
    if (waiting.size > maxEarlyStops && oldest !== undefined) waiting.delete(oldest)
    stops.set(topic, waiting)
  }

  function write(run: StoredRun, time: number): void {
    const runs = topics.get(run.topic) ?? { byId: new Map(), newest: run, living: undefined }
    topics.set(run.topic, runs)
    // Only the newest run can change.
    runs.newest = run
    runs.byId.set(run.id, { run, endedAt: isLiving(run) ? Infinity : time })
    runs.living = isLiving(run) ? run : undefined
  }

  return {
    change(topic, change, appended) {
      const known = {
        own: () => find(topic, change.id),
        living: () => livingOf(topic),
        isStopped: () => waitingStops(topic).has(change.id),
      }
      const outcome = decideRun(topic, change, known, appended)
      if (outcome instanceof LogError) return outcome
      if (!outcome.run) remember(topic, change.id)
      else if (outcome.applied) write(outcome.run, appended.time)
      return outcome
    },
    find,
    living: () => [...topics.values()].flatMap(({ living }) => living ?? []),
    livingOf,
    forgetExpired() {
      for (const [topic, { byId }] of topics) {
        const before = Date.now() - limitsOf(retention, topic).maxAgeMs - keptMs
        for (const [id, { endedAt }] of byId) {
          if (endedAt >= before) break
          byId.delete(id)
        }
        if (byId.size === 0) topics.delete(topic)
      }
      for (const topic of stops.keys()) if (waitingStops(topic).size === 0) stops.delete(topic)
    },
  }
}
