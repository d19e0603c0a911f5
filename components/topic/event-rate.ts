/**
 * Counts the events of each second of the last minute. A second without a connection is unknown, not quiet. The caller says what time it
 * is: `at` is in milliseconds by a monotonic clock, such as `performance.now()`.
 */

/** One count for each whole second, oldest first; undefined for a second that is unknown. */
export type Counts = readonly (number | undefined)[]

export interface EventRate {
  /** An event arrived. */
  count: (at: number) => void
  /** From now on a second without events is quiet. Connecting or disconnecting twice is harmless. */
  connect: (at: number) => void
  disconnect: (at: number) => void
  /** The last sixty whole seconds before `at`. */
  read: (at: number) => Counts
}

const shownSeconds = 60

export const noCounts: Counts = Array.from({ length: shownSeconds }, () => undefined)

/** Starts disconnected. */
export function createEventRate(): EventRate {
  const counts = new Map<number, number>()
  let absences = [{ from: -Infinity, until: Infinity }]

  function countOf(second: number): number | undefined {
    const from = second * 1_000
    const wasAbsent = absences.some(
      (absence) => absence.from < from + 1_000 && absence.until > from,
    )
    // If events came in a partly connected second, their count is shown.
    return counts.get(second) ?? (wasAbsent ? undefined : 0)
  }

  return {
    count(at) {
      const second = Math.floor(at / 1_000)
      counts.set(second, (counts.get(second) ?? 0) + 1)
    },
    connect(at) {
      const absence = absences.at(-1)
      if (absence?.until === Infinity) absence.until = at
    },
    disconnect(at) {
      if (absences.at(-1)?.until !== Infinity) absences.push({ from: at, until: Infinity })
    },
    read(at) {
      const oldest = Math.floor(at / 1_000) - shownSeconds
      // The newest stays: it shows whether the stream is connected.
      absences = absences.filter(
        ({ until }, index) => until > oldest * 1_000 || index === absences.length - 1,
      )
      for (const second of counts.keys()) if (second < oldest) counts.delete(second)
      return noCounts.map((_, index) => countOf(oldest + index))
    },
  }
}

/** The highest of `counts`; undefined when none is known. */
export function peakOf(counts: Counts): number | undefined {
  const known = counts.filter((count) => count !== undefined)
  return known.length > 0 ? Math.max(...known) : undefined
}
