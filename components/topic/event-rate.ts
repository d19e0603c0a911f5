/**
 * Events in each second of the last minute. A second without a connection is unknown, not quiet. Knows neither streams nor clocks:
 * whoever asks says what time it is, in milliseconds by a clock that nobody sets.
 */

/** Whole seconds, oldest first; undefined where nobody can know. */
export type Counts = readonly (number | undefined)[]

export interface EventRate {
  /** An event arrived. */
  count: (at: number) => void
  /** From now on events would be seen. Doing it twice is harmless, as with `disconnect`. */
  connect: (at: number) => void
  disconnect: (at: number) => void
  /** The sixty seconds that are over at `at`. */
  read: (at: number) => Counts
}

const shownSeconds = 60

export const noCounts: Counts = Array.from({ length: shownSeconds }, () => undefined)

/** Begins without a connection. */
export function createEventRate(): EventRate {
  const counts = new Map<number, number>()
  let absences = [{ from: -Infinity, until: Infinity }]

  function countIn(second: number): number | undefined {
    const from = second * 1_000
    const wasAbsent = absences.some(
      (absence) => absence.from < from + 1_000 && absence.until > from,
    )
    // What did come in a second that was connected in part is known.
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
      // The newest stays: it tells whether there is a connection.
      absences = absences.filter(
        ({ until }, index) => until > oldest * 1_000 || index === absences.length - 1,
      )
      for (const second of counts.keys()) if (second < oldest) counts.delete(second)
      return noCounts.map((_, index) => countIn(oldest + index))
    },
  }
}

/** The highest of `counts`; undefined when none is known. */
export function peakOf(counts: Counts): number | undefined {
  const known = counts.filter((count) => count !== undefined)
  return known.length > 0 ? Math.max(...known) : undefined
}
