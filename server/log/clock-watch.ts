/**
 * Judges a clock that is behind the newest event. The one that stamped the event may have jumped ahead, and then what it stamped would
 * not age before that time; or this one is wrong for a moment, and to believe it would let everything age too soon once it is right.
 */

export interface ClockWatch {
  /** Notes whether the newest event is later than now by more than `clockToleranceMs`. */
  note(isBehind: boolean): void
  /** True when that has been so for ten minutes: the clock is believed, and later events get the time of now. */
  isBelieved(): boolean
}

/** The clocks of several computers never quite agree. */
export const clockToleranceMs = 60_000
const doubtMs = 600_000

export function createClockWatch(): ClockWatch {
  let behindSince: number | undefined

  return {
    note(isBehind) {
      if (isBehind) behindSince ??= Date.now()
      else behindSince = undefined
    },
    isBelieved: () => behindSince !== undefined && Date.now() - behindSince >= doubtMs,
  }
}
