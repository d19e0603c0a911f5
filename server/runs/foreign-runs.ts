/**
 * Counts what the runs of other programs have published through this process, because the events of a living run are not removed. Runs
 * that a process produces itself are counted where they are produced.
 */
import { createRunCount, type EncodedValue, type RunLimits } from './run-values'

export interface ForeignRuns {
  /**
   * Counts values before they are appended.
   * @throws {RunLimitError} the run has reached a limit
   */
  count(topic: string, id: string, values: Pick<EncodedValue, 'bytes' | 'events'>): void
  /** Forgets a run that has ended. */
  forget(topic: string, id: string): void
}

/** A run that nobody ended here is forgotten when so many newer ones were counted. */
const maxKnown = 10_000

export function createForeignRuns(limits: RunLimits): ForeignRuns {
  const counts = new Map<string, ReturnType<typeof createRunCount>>()

  return {
    count(topic, id, values) {
      const key = `${topic}:${id}`
      const known = counts.get(key) ?? createRunCount(limits)
      // Moved to the end, so that the one that was silent for longest is forgotten first.
      counts.delete(key)
      counts.set(key, known)
      const [oldest] = counts.keys()
      if (counts.size > maxKnown && oldest !== undefined) counts.delete(oldest)
      known.count(values)
    },
    forget(topic, id) {
      counts.delete(`${topic}:${id}`)
    },
  }
}
